// SPDX-License-Identifier: Apache-2.0
#include "freeatm/core/json_scanner.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace freeatm {
namespace {

TEST(JsonScanner, TakesWhatIsThereAndSkipsTheRest) {
  JsonScanner json("\xEF\xBB\xBF {\"a\\u0062\": [1, 2.5e1, -0], \"x\": {\"y\": [[], {}, null, \"}\"]}, \"t\": true} ");
  std::vector<std::string> keys;
  std::vector<double> numbers;
  json.for_each_member([&](std::string_view key) {
    keys.emplace_back(key);
    if (key == "ab") return json.for_each_element([&] { numbers.push_back(json.take_number()); });
    if (key == "t") {
      EXPECT_TRUE(json.take_bool());
    } else {
      EXPECT_EQ(json.skip(), "{\"y\": [[], {}, null, \"}\"]}");
    }
  });
  json.take_end();
  EXPECT_EQ(keys, (std::vector<std::string>{"ab", "x", "t"}));
  EXPECT_EQ(numbers, (std::vector<double>{1, 25, 0}));
}

TEST(JsonScanner, GoesOnAtAPlaceOfBefore) {
  const std::string text = "[10, [3, 4]]";
  JsonScanner json(text);
  size_t place = 0;
  json.for_each_element([&] {
    if (json.peek() == '[') place = json.position();
    json.skip();
  });
  EXPECT_EQ(JsonScanner(text, JsonNumbers::kJson, place).skip_numbers(), 2);
}

TEST(JsonScanner, WholeNumbersMayHaveAPoint) {
  EXPECT_EQ(JsonScanner("64.0").take_whole_number(), 64);
  EXPECT_EQ(JsonScanner("-9007199254740993").take_whole_number(), -9007199254740993);
  for (const char* text : {"7.5", "1e300", "\"7\"", "007", "1.", "-", ""})
    EXPECT_THROW(JsonScanner(text).take_whole_number(), JsonFault) << text;
}

TEST(JsonScanner, PythonsNumbersAreTakenWhereTheyAreAskedFor) {
  const auto pythons = [](const char* text) { return JsonScanner(text, JsonNumbers::kPython); };
  EXPECT_TRUE(std::isnan(pythons("NaN").take_number()));
  EXPECT_EQ(pythons("-Infinity").take_number(), -INFINITY);
  EXPECT_EQ(pythons("1e999").take_number(), INFINITY);
  EXPECT_EQ(pythons("1e-999").take_number(), 0);
  EXPECT_EQ(pythons("-1").take_number(), -1);
  EXPECT_EQ(pythons("[NaN, -Infinity]").skip(), "[NaN, -Infinity]");
  for (const char* text : {"NaN", "-Infinity", "1e999"}) EXPECT_THROW(JsonScanner(text).take_number(), JsonFault);
  for (const char* text : {"NaN", "[NaN]", "{\"a\": Infinity}"}) EXPECT_THROW(JsonScanner(text).skip(), JsonFault);
}

TEST(JsonScanner, WhatIsCutOffOrBrokenIsSaid) {
  const std::string whole = R"({"a": [1, -2.5, {"b": "c\n"}], "d": null})";
  EXPECT_EQ(JsonScanner(whole).skip(), whole);
  for (size_t cut = 0; cut < whole.size(); ++cut) {
    JsonScanner json(std::string_view(whole).substr(0, cut));
    EXPECT_THROW(json.skip(), JsonFault) << cut;
  }
  for (const char* text : {"[1,,2]", "[1 2]", "{\"a\" 1}", "{1: 2}", "[1]]", "tru", "\"\x01\"", "[01]"}) {
    EXPECT_THROW(
        {
          JsonScanner json(text);
          json.skip();
          json.take_end();
        },
        JsonFault)
        << text;
  }
  EXPECT_THROW(JsonScanner(std::string(200, '[')).skip(), JsonFault);
}

}  // namespace
}  // namespace freeatm
