#include "diag/rules/catalogue.h"

#include <set>
#include <string>

#include "gtest/gtest.h"

namespace vgpu::rules {
namespace {

TEST(CatalogueTest, CodesAreInOrderAndUniqueAndIdsToo) {
  std::set<std::string> ids;
  std::string last;
  for (const CatalogueEntry& entry : Catalogue()) {
    EXPECT_LT(last, std::string(entry.code));
    last = std::string(entry.code);
    EXPECT_TRUE(ids.insert(std::string(entry.id)).second) << entry.id;
    EXPECT_FALSE(entry.title.empty());
    EXPECT_GE(entry.layer(), 1);
  }
  EXPECT_EQ(ids.size(), 88u);
}

TEST(CatalogueTest, FindsACode) {
  ASSERT_NE(FindCode("VG302"), nullptr);
  EXPECT_EQ(FindCode("VG302")->id, "service-started-before-config");
  EXPECT_EQ(FindCode("VG302")->layer(), 3);
  EXPECT_EQ(FindCode("VG999"), nullptr);
}

TEST(CatalogueTest, ALostSuccessIsNeverARootCause) {
  EXPECT_FALSE(FindCode("VG708")->stands_alone);
  EXPECT_TRUE(FindCode("VG704")->stands_alone);
}

}  // namespace
}  // namespace vgpu::rules
