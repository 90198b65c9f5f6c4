SELECT unit_code, month, class, dossiers, paid_vnd, fee_vnd, difference_vnd FROM mart.fee_reconciliation
WHERE unit_code IN ('15655', '0') ORDER BY 1, 2, 3;
SELECT month, class, dossiers FROM mart.fee_reconciliation WHERE unit_code = '38' AND month > '2024-01' ORDER BY 1, 2;
SELECT file_name, success, observed FROM ops.verdict JOIN ops.delivery USING (delivery_id) WHERE rule_code = 'PAY-015' ORDER BY delivery_id;
