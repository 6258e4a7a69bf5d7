#!/bin/sh
# Creates Temporal's two databases and brings their schema to the version of this image. Safe to run again.
set -eu

: "${POSTGRES_SEEDS:?}" "${POSTGRES_USER:?}" "${SQL_PASSWORD:?}"
schemas=${TEMPORAL_SCHEMA_DIR:-/etc/temporal/schema}/postgresql/v12

sql_tool() {
  database=$1
  shift
  temporal-sql-tool --plugin postgres12_pgx --endpoint "$POSTGRES_SEEDS" --port "${DB_PORT:-5432}" \
    --user "$POSTGRES_USER" --database "$database" "$@"
}

bring_up_to_date() {
  database=$1
  directory=$2
  sql_tool "$database" create-database
  # Version 0.0 only makes the tables that hold the version; the updates then come one by one.
  sql_tool "$database" setup-schema --version 0.0
  sql_tool "$database" update-schema --schema-dir "$schemas/$directory/versioned"
}

bring_up_to_date temporal temporal
bring_up_to_date temporal_visibility visibility
echo "the schema of Temporal is up to date"
