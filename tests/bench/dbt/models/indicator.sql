-- Eight indicators of every commune, district and province by month, quarter and year, as warehouse/indicators/ defines them, as far as
-- the data of the benchmark asks for it. PostgreSQL runs the same text (tests/bench/bare_load.py). `rate` is in tenths of a percent,
-- rounded half up.
WITH paid AS (
    SELECT ID_HDON, sum(CASE WHEN HTHUC_TTOAN <> 'TIEN_MAT' THEN SO_TIEN_TTOAN ELSE 0 END) AS cashless,
        sum(CASE WHEN HTHUC_TTOAN = 'TIEN_MAT' THEN SO_TIEN_TTOAN ELSE 0 END) AS cash
    FROM {{ ref('payment') }} WHERE TTHAI_CHAM_NO = 1 AND TTHAI_HUY = 0 AND TTHAI_XLY_NGHI_NGO = 0 GROUP BY ID_HDON
), billed AS (
    SELECT MA_DVHC AS commune, make_date(NAM, THANG, 1) AS month, MA_KHANG AS customer, TONG_TIEN AS amount,
        coalesce(cashless > 0 AND (cash = 0 OR cashless >= TONG_TIEN), FALSE) AS is_cashless,
        least(coalesce(cashless, 0), TONG_TIEN) AS cashless
    FROM {{ ref('bill') }} LEFT JOIN paid USING (ID_HDON)
), handled AS (
    SELECT commune, CAST(date_trunc('month', NgayTiepNhan) AS date) AS received, KenhThucHien AS channel, MucDo AS service_level,
        DuocTaiSuDung AS reused, DuocThanhToanTrucTuyen AS paid_online, TongPhiLePhi AS fee,
        CASE WHEN TrangThaiHoSo IN (9, 10) THEN greatest(coalesce(NgayKetThucXuLy, NgayTra, NgayTuChoi, NgayCapNhat), NgayTiepNhan) END AS ended,
        NgayHenTra AS due
    FROM {{ ref('dossier') }} JOIN {{ ref('agency') }} ON agency = MaDonViXuLy WHERE TrangThaiHoSo NOT IN (1, 3) AND DeletedOn IS NULL
), bills AS (
    SELECT commune, month, count(*) AS bills, count(*) FILTER (WHERE is_cashless) AS cashless_bills, sum(amount) AS amount,
        sum(cashless) AS cashless
    FROM billed GROUP BY commune, month
), received AS (
    SELECT commune, received AS month, count(*) AS dossiers, count(*) FILTER (WHERE channel = '2') AS online,
        count(*) FILTER (WHERE service_level = 4) AS whole, count(*) FILTER (WHERE reused IN (1, 2)) AS reused,
        count(*) FILTER (WHERE fee > 0) AS with_fee, count(*) FILTER (WHERE fee > 0 AND paid_online IN (1, 2)) AS paid_online
    FROM handled GROUP BY commune, received
), ended AS (
    SELECT commune, CAST(date_trunc('month', ended) AS date) AS month, count(*) AS dossiers,
        count(*) FILTER (WHERE due IS NULL OR CAST(ended AS date) <= CAST(due AS date)) AS in_time
    FROM handled WHERE ended IS NOT NULL GROUP BY commune, CAST(date_trunc('month', ended) AS date)
), counted AS (
    SELECT 'K2b' AS code, commune, month, cashless_bills AS numerator, bills AS denominator FROM bills
    UNION ALL SELECT 'K2c', commune, month, cashless, amount FROM bills
    UNION ALL SELECT 'CQ4', commune, month, online, dossiers FROM received
    UNION ALL SELECT 'CQ6F', commune, month, whole, dossiers FROM received
    UNION ALL SELECT 'K1a', commune, month, reused, dossiers FROM received
    UNION ALL SELECT 'K2f', commune, month, paid_online, with_fee FROM received
    UNION ALL SELECT 'CQ5', commune, month, in_time, dossiers FROM ended
), once AS (  -- a customer counts once in a period, however many bills there are
    SELECT commune, period, bool_or(is_cashless) AS is_cashless
    FROM billed JOIN {{ ref('period') }} USING (month) GROUP BY commune, period, customer
), by_period AS (
    SELECT code, commune, period, sum(numerator) AS numerator, sum(denominator) AS denominator
    FROM counted JOIN {{ ref('period') }} USING (month) GROUP BY code, commune, period
    UNION ALL
    SELECT 'K2a', commune, period, count(*) FILTER (WHERE is_cashless), count(*) FROM once GROUP BY commune, period
), added_up AS (
    SELECT code, unit, period, CAST(sum(numerator) AS bigint) AS numerator, CAST(sum(denominator) AS bigint) AS denominator
    FROM by_period JOIN {{ ref('place') }} USING (commune) GROUP BY code, unit, period
)
SELECT code, unit, period, numerator, denominator,
    CAST((2000 * numerator + denominator - (2000 * numerator + denominator) % (2 * denominator)) / (2 * denominator) AS bigint) AS rate
FROM added_up WHERE denominator > 0 AND (code <> 'K2a' OR denominator >= 5)  -- of fewer customers nothing is shown
