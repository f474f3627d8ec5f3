\set VERBOSITY terse
\set ON_ERROR_STOP on
SELECT 'CREATE ROLE "pgbouncer"' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'pgbouncer') \gexec
ALTER ROLE "pgbouncer" WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT -1 PASSWORD 'verifier-of-pgbouncer';
COMMENT ON ROLE "pgbouncer" IS 'pgha';
CREATE SCHEMA IF NOT EXISTS "pgbouncer";
CREATE OR REPLACE FUNCTION "pgbouncer".verifier_of(wanted text) RETURNS TABLE (role_name text, verifier text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
  AS $$ SELECT rolname::text, rolpassword FROM pg_authid
        WHERE rolname = wanted AND rolcanlogin AND NOT rolsuper AND NOT rolreplication
          AND (rolvaliduntil IS NULL OR rolvaliduntil > now()) $$;
REVOKE ALL ON SCHEMA "pgbouncer" FROM PUBLIC;
REVOKE ALL ON FUNCTION "pgbouncer".verifier_of(text) FROM PUBLIC;
GRANT USAGE ON SCHEMA "pgbouncer" TO "pgbouncer";
GRANT EXECUTE ON FUNCTION "pgbouncer".verifier_of(text) TO "pgbouncer";
