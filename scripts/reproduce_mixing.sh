#!/usr/bin/env bash
# The table configs/table/mixing.yaml from a fresh clone: scripts/reproduce_mixing.sh [quick|full]
exec "$(dirname "$0")/reproduce.sh" "${1:-quick}" mixing
