#include "diag/host/json_member.h"

#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace vgpu::host {
namespace {

using nlohmann::json;
using testing::Optional;

TEST(JsonMember, IsTheTextFromBraceToBrace) {
  EXPECT_THAT(ObjectMember(R"({"path": "/a", "elf": {"class": 64}, "size": 1})", "elf"),
              Optional(absl::string_view(R"({"class": 64})")));
  EXPECT_THAT(ObjectMember("{ \"elf\"\t:\n {} }", "elf"), Optional(absl::string_view("{}")));
}

TEST(JsonMember, OnlyOfTheObjectItself) {
  EXPECT_EQ(ObjectMember(R"({"of": {"elf": {}}, "names": [{"elf": {}}]})", "elf"), std::nullopt);
  EXPECT_THAT(ObjectMember(R"({"elf": {"elf": {}, "s": []}})", "elf"),
              Optional(absl::string_view(R"({"elf": {}, "s": []})")));
}

TEST(JsonMember, AWordIsNoKeyAndABraceInAStringIsNone) {
  EXPECT_THAT(
      ObjectMember(R"({"type": "elf", "target": "}\"{\\", "elf": {"soname": "}\"]"}})", "elf"),
      Optional(absl::string_view(R"({"soname": "}\"]"})")));
}

TEST(JsonMember, NothingWhereTheValueIsNoObjectOrIsCutOff) {
  for (const char* text : {"", "{}", "[]", "}", "elf", R"({"elf": null})", R"({"elf": [{}]})",
                           R"({"elf": {"a": [1, 2})", R"({"elf": {"a": "})", R"({"elf)",
                           R"({"elf\)", R"({"elf":)", R"({"path": "/a"} {"elf": {}})"}) {
    EXPECT_EQ(ObjectMember(text, "elf"), std::nullopt) << text;
  }
}

TEST(JsonMember, NothingWhereItIsNestedTooDeep) {
  const auto nested = [](size_t levels) {
    return absl::StrCat("{\"elf\": {\"a\": ", std::string(levels, '['), std::string(levels, ']'),
                        "}}");
  };
  EXPECT_TRUE(ObjectMember(nested(kMaxJsonDepth - 2), "elf").has_value());
  EXPECT_FALSE(ObjectMember(nested(kMaxJsonDepth - 1), "elf").has_value());
  EXPECT_FALSE(ObjectMember(nested(1000000), "elf").has_value());
}

// Random JSON of bounded depth, with all that may mislead.
json Any(std::mt19937& random, int depth) {
  static constexpr const char* kTexts[] = {"elf", "{", "}", "\"", "\\", "a\"}", "\\\"", "", "[:,"};
  const auto text = [&] { return std::string(kTexts[random() % std::size(kTexts)]); };
  switch (random() % (depth > 0 ? 5 : 3)) {
    case 0:
      return text();
    case 1:
      return static_cast<int>(random() % 100);
    case 2:
      return nullptr;
    case 3: {
      json list = json::array();
      for (uint32_t i = random() % 4; i > 0; --i) list.push_back(Any(random, depth - 1));
      return list;
    }
    default: {
      json object = json::object();
      for (uint32_t i = random() % 4; i > 0; --i) object[text()] = Any(random, depth - 1);
      return object;
    }
  }
}

TEST(JsonMember, IsWhatAParserFinds) {
  std::mt19937 random(1);
  int found = 0;
  for (int i = 0; i < 20000; ++i) {
    json object = json::object();
    for (const char* key : {"a", "elf", "z"}) object[key] = Any(random, 4);
    const std::string text = object.dump(random() % 2 == 0 ? -1 : 1);
    const auto part = ObjectMember(text, "elf");
    ASSERT_EQ(part.has_value(), object["elf"].is_object()) << text;
    if (!part) continue;
    ++found;
    ASSERT_EQ(json::parse(part->begin(), part->end()), object["elf"]) << text;
  }
  EXPECT_GT(found, 1000);
}

TEST(JsonMember, IsAlwaysAPartOfTheText) {
  std::mt19937 random(2);
  for (int i = 0; i < 20000; ++i) {
    std::string text = "{\"elf\":{";
    for (uint32_t n = random() % 40; n > 0; --n) text += "{}[]\"\\:, elf"[random() % 13];
    const auto part = ObjectMember(text, "elf");
    if (!part) continue;
    ASSERT_GE(part->data(), text.data());
    ASSERT_LE(part->data() + part->size(), text.data() + text.size());
    ASSERT_EQ(part->front(), '{');
  }
}

}  // namespace
}  // namespace vgpu::host
