#!/bin/sh
# Media servers as containers, for a CommandProvisioner: docker.sh start IMAGE | stop | list
set -eu

LABEL=mafalda.media-server
# Where the container is reached, on the network of its own that it has on this machine.
FORMAT='{"id": "{{.Id}}", "url": "ws://{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}:4443", "region": "{{index .Config.Labels "mafalda.region"}}"}'

case $1 in
start)
  id=$(docker run --detach --rm --label "$LABEL" --label "mafalda.region=${MAFALDA_REGION:-}" --env MAFALDA_TOKEN "$2")
  docker inspect --format "$FORMAT" "$id"
  ;;
stop)
  # A container that is gone is stopped.
  if [ -n "$(docker ps --all --quiet --no-trunc --filter "id=$MAFALDA_SERVER_ID")" ]; then
    docker stop --time 30 "$MAFALDA_SERVER_ID" >/dev/null
  fi
  ;;
list)
  ids=$(docker ps --quiet --no-trunc --filter "label=$LABEL")
  # The ids have no spaces: each is an argument.
  if [ -z "$ids" ]; then echo '[]'; else docker inspect --format "$FORMAT" $ids | sed '1s/^/[/; $!s/$/,/; $s/$/]/'; fi
  ;;
esac
