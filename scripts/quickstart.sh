#!/usr/bin/env bash
# From a fresh clone to a report: installs, builds, then world -> harvest -> pretrain (twice) -> evaluate -> view.
# A demonstration, not evidence: 128 pictures and a minute of training prove nothing. Run again, it goes on where it stopped.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh
scripts/build.sh release freeatm
freeatm=build/release/freeatm
out=runs/quickstart
mkdir -p $out
started=$SECONDS

say() { printf '\n== %s\n   %s\n' "$1" "${*:2}"; "${@:2}"; }

say 'the emoji world: real pictures with exact masks' \
  $freeatm world out=$out/world count=2000 eval_count=500
say 'pictures of the small diffusion model, with a mask for each word' \
  $freeatm harvest diffusion.path=models/emoji captions=models/emoji/captions.txt count=128 out=$out/harvest
for crops in random mask; do
  experiment=nano_moco; [ $crops = random ] || experiment=nano_moco_mask
  say "a backbone pretrained on them, $crops crops" \
    $freeatm pretrain experiment=$experiment data.root=$out/harvest trainer.epochs=60 out=$out/$crops
  say "its features judged by their neighbours" \
    $freeatm evaluate task=knn checkpoint=$out/$crops data.root=$out/world/objects out=$out/knn_$crops
done
say 'the masks judged against exact ones' \
  $freeatm evaluate task=masks diffusion.path=models/emoji data.root=$out/world/scenes out=$out/masks
say 'all of it on one page' \
  $freeatm view in=$out out=$out/report.html title='freeatm quickstart' "note='A demonstration, not evidence: 128 pictures and a minute of training.'"

printf '\nDone in %d:%02d. Look at %s/report.html (a demonstration, not evidence: %s).\n' \
  $(((SECONDS - started) / 60)) $(((SECONDS - started) % 60)) $out '128 pictures and a minute of training'
