\set VERBOSITY terse
\set ON_ERROR_STOP on
SELECT 'CREATE ROLE "shop"' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'shop') \gexec
ALTER ROLE "shop" WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT -1 PASSWORD 'verifier-of-owner';
COMMENT ON ROLE "shop" IS 'pgha application shop';
SELECT 'CREATE ROLE "shop_reader"' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'shop_reader') \gexec
ALTER ROLE "shop_reader" WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 5 PASSWORD 'verifier-of-reader';
COMMENT ON ROLE "shop_reader" IS 'pgha application shop';
SELECT 'CREATE ROLE "shop_writer"' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'shop_writer') \gexec
ALTER ROLE "shop_writer" WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT -1 PASSWORD 'verifier-of-writer';
COMMENT ON ROLE "shop_writer" IS 'pgha application shop';
SELECT 'CREATE ROLE "shop_guest"' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'shop_guest') \gexec
ALTER ROLE "shop_guest" WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT -1 PASSWORD 'verifier-of-guest';
COMMENT ON ROLE "shop_guest" IS 'pgha application shop';
SELECT format('ALTER ROLE %I NOLOGIN', rolname) FROM pg_roles WHERE shobj_description(oid, 'pg_authid') = 'pgha application shop' AND rolname NOT IN ('shop', 'shop_reader', 'shop_writer', 'shop_guest') \gexec
SELECT 'CREATE DATABASE "shop" OWNER "shop"' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'shop') \gexec
ALTER DATABASE "shop" OWNER TO "shop";
ALTER DATABASE "shop" WITH CONNECTION LIMIT 50;
REVOKE ALL ON DATABASE "shop" FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE "shop" TO "shop_reader";
GRANT CONNECT, TEMPORARY ON DATABASE "shop" TO "shop_writer";
GRANT CONNECT, TEMPORARY ON DATABASE "shop" TO "shop_guest";
\connect -reuse-previous=on "dbname='shop'"
CREATE EXTENSION IF NOT EXISTS "pg_trgm";
SET search_path = pg_catalog;
SELECT format('REASSIGN OWNED BY %I TO %I', rolname, 'shop') FROM pg_roles WHERE shobj_description(oid, 'pg_authid') = 'pgha application shop' AND rolname NOT IN ('shop', 'shop_reader', 'shop_writer', 'shop_guest') \gexec
CREATE SCHEMA IF NOT EXISTS "public";
ALTER SCHEMA "public" OWNER TO "shop";
REVOKE ALL ON SCHEMA "public" FROM PUBLIC;
BEGIN;
REVOKE ALL ON SCHEMA "public" FROM "shop_reader";
REVOKE ALL ON ALL TABLES IN SCHEMA "public" FROM "shop_reader";
REVOKE ALL ON ALL SEQUENCES IN SCHEMA "public" FROM "shop_reader";
ALTER DEFAULT PRIVILEGES FOR ROLE "shop" IN SCHEMA "public" REVOKE ALL ON TABLES FROM "shop_reader";
ALTER DEFAULT PRIVILEGES FOR ROLE "shop" IN SCHEMA "public" REVOKE ALL ON SEQUENCES FROM "shop_reader";
GRANT USAGE ON SCHEMA "public" TO "shop_reader";
GRANT SELECT ON ALL TABLES IN SCHEMA "public" TO "shop_reader";
GRANT SELECT ON ALL SEQUENCES IN SCHEMA "public" TO "shop_reader";
ALTER DEFAULT PRIVILEGES FOR ROLE "shop" IN SCHEMA "public" GRANT SELECT ON TABLES TO "shop_reader";
ALTER DEFAULT PRIVILEGES FOR ROLE "shop" IN SCHEMA "public" GRANT SELECT ON SEQUENCES TO "shop_reader";
COMMIT;
BEGIN;
REVOKE ALL ON SCHEMA "public" FROM "shop_writer";
REVOKE ALL ON ALL TABLES IN SCHEMA "public" FROM "shop_writer";
REVOKE ALL ON ALL SEQUENCES IN SCHEMA "public" FROM "shop_writer";
ALTER DEFAULT PRIVILEGES FOR ROLE "shop" IN SCHEMA "public" REVOKE ALL ON TABLES FROM "shop_writer";
ALTER DEFAULT PRIVILEGES FOR ROLE "shop" IN SCHEMA "public" REVOKE ALL ON SEQUENCES FROM "shop_writer";
GRANT USAGE ON SCHEMA "public" TO "shop_writer";
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "public" TO "shop_writer";
GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA "public" TO "shop_writer";
ALTER DEFAULT PRIVILEGES FOR ROLE "shop" IN SCHEMA "public" GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO "shop_writer";
ALTER DEFAULT PRIVILEGES FOR ROLE "shop" IN SCHEMA "public" GRANT USAGE, SELECT, UPDATE ON SEQUENCES TO "shop_writer";
COMMIT;
SELECT statement FROM unnest(ARRAY[
  'REVOKE ALL ON SCHEMA "public" FROM "shop_guest"',
  'REVOKE ALL ON ALL TABLES IN SCHEMA "public" FROM "shop_guest"',
  'REVOKE ALL ON ALL SEQUENCES IN SCHEMA "public" FROM "shop_guest"',
  'ALTER DEFAULT PRIVILEGES FOR ROLE "shop" IN SCHEMA "public" REVOKE ALL ON TABLES FROM "shop_guest"',
  'ALTER DEFAULT PRIVILEGES FOR ROLE "shop" IN SCHEMA "public" REVOKE ALL ON SEQUENCES FROM "shop_guest"']) AS statement
  WHERE EXISTS (SELECT FROM pg_default_acl, aclexplode(defaclacl)
    WHERE pg_get_userbyid(grantee) = 'shop_guest'
      AND defaclnamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'public')) \gexec
CREATE SCHEMA IF NOT EXISTS "orders";
ALTER SCHEMA "orders" OWNER TO "shop";
REVOKE ALL ON SCHEMA "orders" FROM PUBLIC;
BEGIN;
REVOKE ALL ON SCHEMA "orders" FROM "shop_reader";
REVOKE ALL ON ALL TABLES IN SCHEMA "orders" FROM "shop_reader";
REVOKE ALL ON ALL SEQUENCES IN SCHEMA "orders" FROM "shop_reader";
ALTER DEFAULT PRIVILEGES FOR ROLE "shop" IN SCHEMA "orders" REVOKE ALL ON TABLES FROM "shop_reader";
ALTER DEFAULT PRIVILEGES FOR ROLE "shop" IN SCHEMA "orders" REVOKE ALL ON SEQUENCES FROM "shop_reader";
GRANT USAGE ON SCHEMA "orders" TO "shop_reader";
GRANT SELECT ON ALL TABLES IN SCHEMA "orders" TO "shop_reader";
GRANT SELECT ON ALL SEQUENCES IN SCHEMA "orders" TO "shop_reader";
ALTER DEFAULT PRIVILEGES FOR ROLE "shop" IN SCHEMA "orders" GRANT SELECT ON TABLES TO "shop_reader";
ALTER DEFAULT PRIVILEGES FOR ROLE "shop" IN SCHEMA "orders" GRANT SELECT ON SEQUENCES TO "shop_reader";
COMMIT;
BEGIN;
REVOKE ALL ON SCHEMA "orders" FROM "shop_writer";
REVOKE ALL ON ALL TABLES IN SCHEMA "orders" FROM "shop_writer";
REVOKE ALL ON ALL SEQUENCES IN SCHEMA "orders" FROM "shop_writer";
ALTER DEFAULT PRIVILEGES FOR ROLE "shop" IN SCHEMA "orders" REVOKE ALL ON TABLES FROM "shop_writer";
ALTER DEFAULT PRIVILEGES FOR ROLE "shop" IN SCHEMA "orders" REVOKE ALL ON SEQUENCES FROM "shop_writer";
GRANT USAGE ON SCHEMA "orders" TO "shop_writer";
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "orders" TO "shop_writer";
GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA "orders" TO "shop_writer";
ALTER DEFAULT PRIVILEGES FOR ROLE "shop" IN SCHEMA "orders" GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO "shop_writer";
ALTER DEFAULT PRIVILEGES FOR ROLE "shop" IN SCHEMA "orders" GRANT USAGE, SELECT, UPDATE ON SEQUENCES TO "shop_writer";
COMMIT;
SELECT statement FROM unnest(ARRAY[
  'REVOKE ALL ON SCHEMA "orders" FROM "shop_guest"',
  'REVOKE ALL ON ALL TABLES IN SCHEMA "orders" FROM "shop_guest"',
  'REVOKE ALL ON ALL SEQUENCES IN SCHEMA "orders" FROM "shop_guest"',
  'ALTER DEFAULT PRIVILEGES FOR ROLE "shop" IN SCHEMA "orders" REVOKE ALL ON TABLES FROM "shop_guest"',
  'ALTER DEFAULT PRIVILEGES FOR ROLE "shop" IN SCHEMA "orders" REVOKE ALL ON SEQUENCES FROM "shop_guest"']) AS statement
  WHERE EXISTS (SELECT FROM pg_default_acl, aclexplode(defaclacl)
    WHERE pg_get_userbyid(grantee) = 'shop_guest'
      AND defaclnamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'orders')) \gexec
