// SPDX-License-Identifier: Apache-2.0
#include "freeatm/text/bpe_trainer.h"

#include <map>
#include <queue>
#include <set>

#include <nlohmann/json.hpp>

#include "freeatm/core/error.h"

#include "byte_pairs.h"
#include "clip_words.h"

namespace freeatm::text {
namespace {

using Pair = std::pair<std::string, std::string>;

constexpr int64_t kSpecials = 2;

// The captions' different words, in bytes, and how often each stands there.
std::map<std::string, int64_t> count_words(const std::vector<std::string>& captions) {
  std::map<std::string, int64_t> counts;
  for (const std::string& caption : captions) {
    const std::vector<Character> text = clean(caption, 0);
    for_each_clip_word(text.data(), text.data() + text.size(), [&](const Character* begin, const Character* end) {
      std::string bytes;
      for (const Character* c = begin; c != end; ++c) append_utf8(c->code, bytes);
      ++counts[bytes];
    });
  }
  return counts;
}

struct Word {
  std::vector<std::string> pieces;
  int64_t frequency;
};

std::vector<Word> frequent_words(const std::vector<std::string>& captions, int64_t min_frequency) {
  const auto alphabet = byte_alphabet();
  std::vector<Word> words;
  for (const auto& [bytes, frequency] : count_words(captions)) {
    if (frequency < min_frequency) continue;
    Word& word = words.emplace_back(Word{{}, frequency});
    for (const char byte : bytes) word.pieces.push_back(alphabet[static_cast<unsigned char>(byte)]);
    word.pieces.back() += kEndOfWord;
  }
  return words;
}

/// The words in pieces, and how often each pair of neighbours stands in them. A merge costs as much as the words that
/// hold its pair.
class PairCounts {
 public:
  explicit PairCounts(std::vector<Word> words) : words_(std::move(words)) {
    for (size_t i = 0; i < words_.size(); ++i) count(i, +1);
    for (const auto& [pair, known] : pairs_) queue_.push({known.frequency, pair});
  }

  /// The most frequent pair, of equal ones the first; nothing once every word is one piece.
  std::optional<Pair> most_frequent() {
    while (!queue_.empty()) {
      const Entry top = queue_.top();
      const int64_t now = pairs_[top.pair].frequency;
      if (now == top.frequency && now > 0) return top.pair;
      queue_.pop();  // its frequency has changed since: a newer entry says how
    }
    return std::nullopt;
  }

  void merge(const Pair& pair) {
    const std::set<size_t> holders = pairs_[pair].words;
    changed_.clear();
    for (const size_t i : holders) {
      count(i, -1);
      std::vector<std::string> merged;
      const auto& pieces = words_[i].pieces;
      for (size_t p = 0; p < pieces.size(); ++p) {
        const bool here = p + 1 < pieces.size() && pieces[p] == pair.first && pieces[p + 1] == pair.second;
        merged.push_back(here ? pieces[p] + pieces[p + 1] : pieces[p]);
        p += here;
      }
      words_[i].pieces = std::move(merged);
      count(i, +1);
    }
    for (const Pair& each : changed_) {
      if (pairs_[each].frequency > 0) queue_.push({pairs_[each].frequency, each});
    }
  }

 private:
  struct Known {
    int64_t frequency = 0;
    std::set<size_t> words;
  };
  struct Entry {
    int64_t frequency;
    Pair pair;
    bool operator<(const Entry& other) const {  // the queue's top is its greatest
      return frequency != other.frequency ? frequency < other.frequency : pair > other.pair;
    }
  };

  void count(size_t i, int64_t sign) {
    const Word& word = words_[i];
    for (size_t p = 0; p + 1 < word.pieces.size(); ++p) {
      const Pair pair{word.pieces[p], word.pieces[p + 1]};
      Known& known = pairs_[pair];
      known.frequency += sign * word.frequency;
      sign > 0 ? (void)known.words.insert(i) : (void)known.words.erase(i);
      changed_.insert(pair);
    }
  }

  std::vector<Word> words_;
  std::map<Pair, Known> pairs_;
  std::priority_queue<Entry> queue_;
  std::set<Pair> changed_;  // by the last merge
};

}  // namespace

BytePairVocabulary learn_byte_pairs(const std::vector<std::string>& captions, const BpeTrainerOptions& options,
                                    const std::string& where) {
  std::vector<Word> words = frequent_words(captions, options.min_frequency);
  if (words.empty()) {
    throw UserError(where, "min_frequency", "no word stands {} times in the {} captions", options.min_frequency,
                    captions.size());
  }
  BytePairVocabulary out;
  out.words = static_cast<int64_t>(words.size());
  const auto alphabet = byte_alphabet();
  out.pieces.assign(alphabet.begin(), alphabet.end());
  for (const std::string& byte : alphabet) out.pieces.push_back(byte + kEndOfWord);

  PairCounts counts(std::move(words));
  std::set<std::string> known(out.pieces.begin(), out.pieces.end());
  while (const auto pair = counts.most_frequent()) {
    counts.merge(*pair);
    out.merges.push_back(*pair);
    std::string piece = pair->first + pair->second;  // two merges may make the same one
    if (known.insert(piece).second) out.pieces.push_back(std::move(piece));
  }
  const int64_t needed = static_cast<int64_t>(out.pieces.size()) + kSpecials;
  if (options.vocab_size && needed > *options.vocab_size) {
    throw UserError(where, "vocab_size",
                    "{} is too small: the {} words that stand {} times or more in the captions need {}",
                    *options.vocab_size, out.words, options.min_frequency, needed);
  }
  out.pieces.insert(out.pieces.end(), {kStartOfText, kEndOfText});
  return out;
}

void save_clip_tokenizer(const fs::path& folder, const BytePairVocabulary& vocabulary, int64_t max_length) {
  using nlohmann::ordered_json;
  ordered_json ids = ordered_json::object();
  for (size_t id = 0; id < vocabulary.pieces.size(); ++id) ids[vocabulary.pieces[id]] = id;
  std::string merges = "#version: 0.2\n";
  for (const auto& [left, right] : vocabulary.merges) merges += left + " " + right + "\n";
  const ordered_json special{
      {"bos_token", kStartOfText}, {"eos_token", kEndOfText}, {"pad_token", kEndOfText}, {"unk_token", kEndOfText}};
  ordered_json config = special;
  config["model_max_length"] = max_length;
  config["tokenizer_class"] = "CLIPTokenizer";

  PendingPath pending(folder);
  pending.remove_abandoned();
  fs::create_directory(pending.temporary());
  write_file(pending.temporary() / "vocab.json", ids.dump(0) + "\n");
  write_file(pending.temporary() / "merges.txt", merges);
  write_file(pending.temporary() / "special_tokens_map.json", special.dump(2) + "\n");
  write_file(pending.temporary() / "tokenizer_config.json", config.dump(2) + "\n");
  pending.commit();
}

}  // namespace freeatm::text
