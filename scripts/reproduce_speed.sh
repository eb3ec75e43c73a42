#!/usr/bin/env bash
# The table configs/table/speed.yaml from a fresh clone: scripts/reproduce_speed.sh [quick|full]
exec "$(dirname "$0")/reproduce.sh" "${1:-quick}" speed
