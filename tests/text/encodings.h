// SPDX-License-Identifier: Apache-2.0
// What the reference's tokenizers gave.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "freeatm/core/json.h"
#include "freeatm/text/tokenizer.h"

#include "testing.h"

namespace freeatm::text {

/// Each: [text, ids without start, end and padding, the spans one after the other].
inline nlohmann::json expected(const std::string& file) { return read_json(testing::test_file("text/data/" + file)); }

inline void expect_equal(const Tokenizer& tokenizer, const nlohmann::json& cases) {
  for (const nlohmann::json& wanted : cases) {
    const auto text = wanted[0].get<std::string>();
    const Encoding encoding = tokenizer.encode(text);
    ASSERT_EQ(encoding.ids, wanted[1].get<std::vector<int64_t>>()) << text;
    std::vector<int64_t> spans;
    for (const Span& span : encoding.spans) spans.insert(spans.end(), {span.begin, span.end});
    ASSERT_EQ(spans, wanted[2].get<std::vector<int64_t>>()) << text;
  }
}

}  // namespace freeatm::text
