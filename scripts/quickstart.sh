#!/usr/bin/env bash
# From a fresh clone to a page of pictures with masks, then a report: installs, builds, then world -> harvest -> view ->
# pretrain (random crops, and the paper's region features) -> evaluate -> view.
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
say 'a page of them: point at a word, its mask lights up' \
  $freeatm view in=$out/harvest out=$out/pictures.html title='freeatm quickstart: pictures and masks'
pretrain_and_judge() {
  say "a backbone pretrained on them, $1" \
    $freeatm pretrain experiment="$2" data.root=$out/harvest trainer.epochs=60 out="$out/$3"
  say 'its frozen features judged by a linear classifier' \
    $freeatm evaluate task=linear checkpoint="$out/$3" data.root=$out/world/objects out="$out/linear_$3"
}
pretrain_and_judge 'random crops: the baseline' nano_moco random
pretrain_and_judge "random crops, and features pooled in the words' masks: the paper's way" nano_moco_regions regions
say 'the masks judged against exact ones' \
  $freeatm evaluate task=masks diffusion.path=models/emoji data.root=$out/world/scenes out=$out/masks
say 'all of it on one page' \
  $freeatm view in=$out out=$out/report.html title='freeatm quickstart' "note='A demonstration, not evidence: 128 pictures and a minute of training.'"

printf '\nDone in %d:%02d. Look at %s/report.html (a demonstration, not evidence: %s).\n' \
  $(((SECONDS - started) / 60)) $(((SECONDS - started) % 60)) $out '128 pictures and a minute of training'
