#!/usr/bin/env bash
# All tables from a fresh clone: scripts/reproduce_all.sh [quick|full]
exec "$(dirname "$0")/reproduce.sh" "${1:-quick}" masks contrastive masked vision_language retrieval downstream mixing speed
