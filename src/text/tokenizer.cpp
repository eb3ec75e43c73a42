// SPDX-License-Identifier: Apache-2.0
#include "freeatm/text/tokenizer.h"

#include "freeatm/core/error.h"
#include "freeatm/core/files.h"
#include "freeatm/core/model_path.h"
#include "freeatm/text/clip_tokenizer.h"
#include "freeatm/text/word_piece.h"

namespace freeatm::text {

void Encoding::shorten(int64_t tokens) {
  const size_t kept = std::min(ids.size(), static_cast<size_t>(tokens));
  cut += static_cast<int64_t>(ids.size() - kept);
  ids.resize(kept);
  pieces.resize(kept);
  spans.resize(kept);
}

std::vector<int64_t> Tokenizer::padded_ids(const Encoding& encoding, int64_t length) const {
  FREEATM_CHECK(static_cast<int64_t>(encoding.ids.size()) <= length - 2, "{} tokens, at most {} fit",
                encoding.ids.size(), length - 2);
  std::vector<int64_t> out{bos_id()};
  out.insert(out.end(), encoding.ids.begin(), encoding.ids.end());
  out.push_back(eos_id());
  out.resize(static_cast<size_t>(length), pad_id());
  return out;
}

std::unique_ptr<Tokenizer> open_tokenizer(const std::string& path) {
  require_model(path, "");
  if (!fs::is_directory(path)) return std::make_unique<WordPiece>(path);
  if (fs::exists(fs::path(path) / "vocab.txt")) return std::make_unique<WordPiece>(path);
  for (const char* name : {"tokenizer.json", "vocab.json"}) {
    if (fs::exists(fs::path(path) / name)) return std::make_unique<ClipTokenizer>(path);
  }
  throw UserError(path, "", "has neither a vocab.txt (WordPiece) nor a tokenizer.json or vocab.json (CLIP)");
}

}  // namespace freeatm::text
