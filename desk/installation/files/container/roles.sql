-- Các vai trò và tài khoản của kho: chủ kho, lượt đêm, trang kiểm soát. Chạy mỗi lần khởi động: mật khẩu theo các tệp bí mật.
\set owner `cat /run/secrets/owner_password`
\set night `cat /run/secrets/night_password`
\set desk `cat /run/secrets/desk_password`

SELECT format('CREATE ROLE %I', role)
FROM unnest(ARRAY['bakhong_etl', 'bakhong_steward', 'bakhong_reader', 'bakhong', 'bakhong_night', 'bakhong_desk']) AS role
WHERE to_regrole(role) IS NULL \gexec

ALTER ROLE bakhong LOGIN PASSWORD :'owner';
ALTER ROLE bakhong_night LOGIN PASSWORD :'night';
ALTER ROLE bakhong_desk LOGIN PASSWORD :'desk';
GRANT bakhong_etl TO bakhong_night;
GRANT bakhong_steward TO bakhong_desk;

SELECT 'CREATE DATABASE bakhong OWNER bakhong' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'bakhong') \gexec
REVOKE CONNECT ON DATABASE bakhong FROM PUBLIC;
GRANT CONNECT ON DATABASE bakhong TO bakhong_etl, bakhong_steward, bakhong_reader;

-- Không tài khoản nào chứa được gì vào kho ngoài các bảng của nó; chỉ người quản trị PostgreSQL đóng được cửa này.
\connect bakhong
REVOKE EXECUTE ON FUNCTION lo_create(oid), lo_creat(integer), lo_from_bytea(oid, bytea) FROM PUBLIC;
