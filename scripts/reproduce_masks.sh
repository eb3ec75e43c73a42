#!/usr/bin/env bash
# The table configs/table/masks.yaml from a fresh clone: scripts/reproduce_masks.sh [quick|full]
exec "$(dirname "$0")/reproduce.sh" "${1:-quick}" masks
