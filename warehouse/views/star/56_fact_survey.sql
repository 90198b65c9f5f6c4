-- One row per survey, wave, unit and question, which is an indicator's code. Where fewer answered than an indicator of a survey may show, the numbers are kept back (is_suppressed).
-- Mỗi dòng là một cuộc khảo sát, đợt, đơn vị và câu hỏi (là mã chỉ tiêu). Nơi có ít người trả lời hơn mức một chỉ tiêu khảo sát được đưa ra thì số được ẩn (is_suppressed).
SELECT survey.unit_key,
       survey.asked_on AS date_key,
       survey.survey_code,
       survey.wave,
       survey.question_code,
       CASE WHEN NOT few.is_suppressed THEN survey.respondents END AS respondents,
       CASE WHEN NOT few.is_suppressed THEN survey.positive_answers END AS positive_answers,
       few.is_suppressed
FROM warehouse.fact_survey AS survey
CROSS JOIN LATERAL (SELECT survey.respondents < {FEWEST_ASKED} AS is_suppressed) AS few
WHERE survey.known_to = 'infinity'
