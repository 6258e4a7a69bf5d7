-- Names the nodes of a cluster on its coordinator, in the database of reembed. On each worker, that database exists and
-- has the extension citus:
--   psql --variable=coordinator=10.0.0.1 --variable=worker1=10.0.0.2 --variable=worker2=10.0.0.3 \
--     --file=deploy/citus/cluster.sql "$DATABASE_URL" && reembed migrate --distribute
\set ON_ERROR_STOP on
\if :{?port}
\else
  \set port 5432
\endif

create extension if not exists citus;
select citus_set_coordinator_host(:'coordinator', :port);
select citus_add_node(:'worker1', :port);
select citus_add_node(:'worker2', :port);
-- The role of reembed, if it is not a superuser, recovers commits that did not reach a node.
\if :{?role}
  grant execute on function pg_catalog.recover_prepared_transactions() to :"role";
\endif
