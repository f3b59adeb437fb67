-- Run once, when the volume is new: two databases, since MLflow and Optuna both keep their version in a table
-- `alembic_version`; a role that owns them and nothing else; one that reads, for Optuna's dashboard.
\set ON_ERROR_STOP on
\set ablate_password `cat /run/secrets/ablate_password`
\set reader_password `cat /run/secrets/reader_password`
-- A file that could not be read leaves an empty text, which this stops at.
SELECT 1 / least(length(:'ablate_password'), length(:'reader_password'), 1) AS passwords_were_read;
CREATE ROLE ablate LOGIN PASSWORD :'ablate_password';
CREATE ROLE reader LOGIN PASSWORD :'reader_password';
CREATE DATABASE mlflow OWNER ablate;
CREATE DATABASE optuna OWNER ablate;
REVOKE ALL ON DATABASE mlflow, optuna, postgres, template1 FROM PUBLIC;
GRANT CONNECT ON DATABASE optuna TO reader;
\connect optuna
ALTER DEFAULT PRIVILEGES FOR ROLE ablate GRANT SELECT ON TABLES TO reader;
