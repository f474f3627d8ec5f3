\set VERBOSITY terse
\set ON_ERROR_STOP on
SELECT 'CREATE ROLE "exporter"' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'exporter') \gexec
ALTER ROLE "exporter" WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT -1 PASSWORD 'verifier-of-exporter';
COMMENT ON ROLE "exporter" IS 'pgha';
GRANT pg_monitor TO "exporter";
ALTER ROLE "exporter" SET search_path = pg_catalog;
