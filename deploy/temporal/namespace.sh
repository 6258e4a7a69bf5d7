#!/bin/sh
# Registers the namespace and the search attributes that reembed lists and counts tasks by. Safe to run again.
set -eu

: "${TEMPORAL_ADDRESS:?}" "${TEMPORAL_NAMESPACE:?}" "${TEMPORAL_RETENTION:?}"
export TEMPORAL_ADDRESS TEMPORAL_NAMESPACE

# A new namespace or attribute is known to all parts of the server only after their caches are refreshed. What a try
# says is shown when it is the last.
eventually() {
  tries=1
  until said=$("$@" 2>&1); do
    if [ "$tries" -ge 30 ]; then
      echo "$said" >&2
      echo "gave up after $tries tries: $*" >&2
      exit 1
    fi
    tries=$((tries + 1))
    sleep 2
  done
}

create_or_update_namespace() {
  if temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
    temporal operator namespace update --namespace "$TEMPORAL_NAMESPACE" --retention "$TEMPORAL_RETENTION"
  else
    temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$TEMPORAL_RETENTION"
  fi
}

tasks_can_be_found() {
  temporal workflow count \
    --query "TaskType = 'none' and TaskStatus = 'none' and TaskParent = 'none' and TaskIndex = 'none' and TaskReplaces = 'none' and JobName = 'none' and JobLane = 'none' and TaskCreateTime is null and TaskHasFailedItems is null"
}

eventually temporal operator cluster health
eventually create_or_update_namespace
# One that exists with the same type is left as it is.
eventually temporal operator search-attribute create \
  --name TaskType --type Keyword \
  --name TaskStatus --type Keyword \
  --name TaskParent --type Keyword \
  --name TaskReplaces --type Keyword \
  --name JobName --type Keyword \
  --name JobLane --type Keyword \
  --name TaskCreateTime --type Datetime \
  --name TaskIndex --type KeywordList \
  --name TaskHasFailedItems --type Bool
eventually tasks_can_be_found
echo "namespace $TEMPORAL_NAMESPACE is ready"
