#include "diag/diagnosis/precedence.h"

#include <map>
#include <set>
#include <string>
#include <vector>

#include "diag/rules/catalogue.h"
#include "gtest/gtest.h"

namespace vgpu::diagnosis {
namespace {

TEST(PrecedenceTest, BothAreInTheCatalogue) {
  for (const Precedence& pair : Precedences()) {
    EXPECT_NE(rules::FindCode(pair.cause), nullptr) << pair.cause;
    EXPECT_NE(rules::FindCode(pair.consequence), nullptr) << pair.consequence;
  }
}

// A circle would leave a host with consequences and no cause.
TEST(PrecedenceTest, NoCodeFollowsFromItself) {
  std::map<std::string, std::set<std::string>> follows;
  for (const Precedence& pair : Precedences()) {
    follows[std::string(pair.cause)].insert(std::string(pair.consequence));
  }
  for (const auto& [code, direct] : follows) {
    std::set<std::string> reached;
    std::vector<std::string> pending(direct.begin(), direct.end());
    while (!pending.empty()) {
      const std::string at = pending.back();
      pending.pop_back();
      if (!reached.insert(at).second) continue;
      for (const std::string& next : follows[at]) pending.push_back(next);
    }
    EXPECT_FALSE(reached.contains(code)) << code;
  }
}

}  // namespace
}  // namespace vgpu::diagnosis
