// SPDX-License-Identifier: Apache-2.0
#include "prompts.h"

#include <algorithm>
#include <numeric>
#include <string_view>
#include <utility>

#include "freeatm/core/error.h"

#include "../draws.h"

namespace freeatm::objectives {
namespace {

constexpr std::string_view kBlock = "{block}", kTag = "{tag}";
constexpr int64_t kBlocks = 3;  // along a side

int64_t words_in(std::string_view text) {
  int64_t words = 0;
  bool in_word = false;
  for (const char c : text) {
    words += c != ' ' && !in_word;
    in_word = c != ' ';
  }
  return words;
}

void put_in(std::string& text, std::string_view sign, const std::string& value) {
  const size_t at = text.find(sign);
  if (at != std::string::npos) text.replace(at, sign.size(), value);
}

bool ends_a_sentence(const std::string& text) {
  return !text.empty() && std::string_view(".!?").find(text.back()) != std::string_view::npos;
}

void add(ModelText& out, const text::Tokenizer& tokenizer, const text::Encoding& encoding) {
  const std::vector<bool> starts = tokenizer.word_starts(encoding);
  out.ids.insert(out.ids.end(), encoding.ids.begin(), encoding.ids.end());
  out.word_starts.insert(out.word_starts.end(), starts.begin(), starts.end());
}

}  // namespace

void PromptOptions::fields(config::Fields& f) {
  f("things", things, "so many of a picture's things are placed", config::between(1, 64));
  f("words", words, "budget of all of a picture's prompts; the caption makes way for them", config::between(1, 1000));
  f("pattern", pattern, "what is written behind the caption; {block}: 0 to 8 row by row, {tag}: the thing");
  if (f.reading() && (pattern.find(kBlock) == std::string::npos || pattern.find(kTag) == std::string::npos))
    f.refuse("pattern", format("'{}' must have both {} and {}", pattern, kBlock, kTag));
}

int64_t block_of(const vision::Box& box, int64_t height, int64_t width) {
  const auto block = [](double centre, int64_t side) {
    return std::min(static_cast<int64_t>(centre / static_cast<double>(side) * kBlocks), kBlocks - 1);
  };
  return kBlocks * block(box.y + box.height / 2, height) + block(box.x + box.width / 2, width);
}

std::vector<std::string> write_prompts(const std::vector<PlacedThing>& things, const PromptOptions& options,
                                       RandomStream random) {
  std::vector<int64_t> order(things.size());
  std::iota(order.begin(), order.end(), int64_t{0});
  shuffle(order, random);
  std::vector<std::string> prompts;
  int64_t words = 0;
  for (const int64_t i : order) {
    std::string prompt = options.pattern;
    put_in(prompt, kBlock, std::to_string(things[i].block));
    put_in(prompt, kTag, things[i].name);
    if (words + words_in(prompt) > options.words) break;
    words += words_in(prompt);
    prompts.push_back(std::move(prompt));
    if (std::ssize(prompts) == options.things) break;
  }
  return prompts;
}

ModelText model_text(const text::Tokenizer& tokenizer, const std::string& caption,
                     const std::vector<std::string>& prompts, int64_t max_length) {
  text::Encoding own = tokenizer.encode(caption);
  int64_t room = max_length - 2;
  std::vector<text::Encoding> written;
  for (const std::string& prompt : prompts) {
    const bool begins = written.empty() && !ends_a_sentence(caption);
    text::Encoding encoding = tokenizer.encode(begins ? ". " + prompt : prompt);
    const int64_t tokens = std::ssize(encoding.ids);
    if (encoding.cut > 0 || tokens >= room) break;
    room -= tokens;
    written.push_back(std::move(encoding));
  }
  own.shorten(room);
  ModelText out{.ids = {tokenizer.bos_id()}, .word_starts = {false}, .spans = own.spans, .cut = own.cut};
  add(out, tokenizer, own);
  for (const text::Encoding& encoding : written) add(out, tokenizer, encoding);
  out.ids.push_back(tokenizer.eos_id());
  out.word_starts.push_back(false);
  return out;
}

}  // namespace freeatm::objectives
