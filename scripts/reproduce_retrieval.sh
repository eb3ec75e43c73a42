#!/usr/bin/env bash
# The table configs/table/retrieval.yaml from a fresh clone: scripts/reproduce_retrieval.sh [quick|full]
exec "$(dirname "$0")/reproduce.sh" "${1:-quick}" retrieval
