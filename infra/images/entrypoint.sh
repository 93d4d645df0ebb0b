#!/bin/sh
# What the Flink Kubernetes operator asks of an image: `standalone-job`, `jobmanager` or `taskmanager`, in front.
case "${1:-}" in
  standalone-job | jobmanager | taskmanager)
    role=$1
    shift
    exec "$FLINK_HOME/bin/$role.sh" start-foreground "$@"
    ;;
  *) exec "$@" ;;
esac
