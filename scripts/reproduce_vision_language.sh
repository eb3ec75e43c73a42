#!/usr/bin/env bash
# The table configs/table/vision_language.yaml from a fresh clone: scripts/reproduce_vision_language.sh [quick|full]
exec "$(dirname "$0")/reproduce.sh" "${1:-quick}" vision_language
