#!/usr/bin/env bash
# The table configs/table/downstream.yaml from a fresh clone: scripts/reproduce_downstream.sh [quick|full]
exec "$(dirname "$0")/reproduce.sh" "${1:-quick}" downstream
