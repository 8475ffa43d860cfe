#!/bin/sh
# Media servers as machines of a cloud, for a CommandProvisioner: cloud.sh start | stop | list
# Needs the cloud's command line (aws) with its credentials, jq, and TEMPLATE, the launch template of the machines.
set -eu

TAG=mafalda-media-server
# Each machine has a name of its own in DNS, under this domain, for which its certificate is made.
DOMAIN=${DOMAIN:-media.example}

case $1 in
start)
  region=${MAFALDA_REGION:-eu-west-1}
  id=$(aws ec2 run-instances --region "$region" --launch-template "LaunchTemplateName=$TEMPLATE" \
    --tag-specifications "ResourceType=instance,Tags=[{Key=$TAG,Value=$region}]" \
    --query 'Instances[0].InstanceId' --output text)
  jq --null-input --arg id "$region/$id" --arg url "wss://$id.$DOMAIN:4443" '{ $id, $url }'
  ;;
stop)
  aws ec2 terminate-instances --region "${MAFALDA_SERVER_ID%/*}" --instance-ids "${MAFALDA_SERVER_ID#*/}" >/dev/null
  ;;
list)
  for region in ${REGIONS:-eu-west-1}; do
    aws ec2 describe-instances --region "$region" --output json \
      --filters "Name=tag-key,Values=$TAG" 'Name=instance-state-name,Values=pending,running' |
      jq --arg region "$region" --arg domain "$DOMAIN" \
        '[.Reservations[].Instances[].InstanceId | { id: "\($region)/\(.)", url: "wss://\(.).\($domain):4443", $region }]'
  done | jq --slurp 'add // []'
  ;;
esac
