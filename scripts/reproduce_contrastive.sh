#!/usr/bin/env bash
# The table configs/table/contrastive.yaml from a fresh clone: scripts/reproduce_contrastive.sh [quick|full]
exec "$(dirname "$0")/reproduce.sh" "${1:-quick}" contrastive
