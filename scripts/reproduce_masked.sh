#!/usr/bin/env bash
# The table configs/table/masked.yaml from a fresh clone: scripts/reproduce_masked.sh [quick|full]
exec "$(dirname "$0")/reproduce.sh" "${1:-quick}" masked
