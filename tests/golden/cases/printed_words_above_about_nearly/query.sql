SELECT source_document, indicator_code, printed, recomputed, verdict FROM mart.published_check ORDER BY 1, 2;
SELECT rule_code FROM ops.quarantine