#include "shims/exec/environment.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace vgpu::exec {
namespace {

ShimList List(std::string_view text) {
  ShimList list;
  text.copy(list.text.data(), text.size());
  list.size = text.size();
  return list;
}

class Environment {
 public:
  explicit Environment(std::vector<std::string> variables) : variables_(std::move(variables)) {
    for (std::string& variable : variables_) pointers_.push_back(variable.data());
    pointers_.push_back(nullptr);
  }
  char* const* get() const { return pointers_.data(); }

 private:
  std::vector<std::string> variables_;
  std::vector<char*> pointers_;
};

std::vector<std::string> Added(char* const* environment, std::string_view shims) {
  ShimList missing;
  Missing(environment, List(shims), &missing);
  Need need = NeedOf(environment, missing);
  std::vector<char*> pointers(need.pointers);
  std::vector<char> text(need.bytes);
  AddShims(environment, missing, pointers.data(), text.data());
  std::vector<std::string> result;
  for (char** variable = pointers.data(); *variable != nullptr; ++variable) {
    result.emplace_back(*variable);
  }
  return result;
}

using Variables = std::vector<std::string>;

TEST(EnvironmentTest, AVariableOfOurOwnWhereThereIsNone) {
  Environment environment({"A=1", "B=2"});
  EXPECT_EQ(Added(environment.get(), "/s/libvgpu-exec.so:/s/libvgpu-cuda.so"),
            (Variables{"LD_PRELOAD=/s/libvgpu-exec.so:/s/libvgpu-cuda.so", "A=1", "B=2"}));
}

TEST(EnvironmentTest, BeforeWhatIsThere) {
  Environment environment({"A=1", "LD_PRELOAD=/usr/lib/libjemalloc.so.2", "B=2"});
  EXPECT_EQ(Added(environment.get(), "/s/libvgpu-exec.so"),
            (Variables{"A=1", "LD_PRELOAD=/s/libvgpu-exec.so:/usr/lib/libjemalloc.so.2", "B=2"}));
}

TEST(EnvironmentTest, OnlyWhatIsMissing) {
  Environment environment({"LD_PRELOAD=/x.so /s/libvgpu-cuda.so"});
  EXPECT_EQ(Added(environment.get(), "/s/libvgpu-exec.so:/s/libvgpu-cuda.so"),
            (Variables{"LD_PRELOAD=/s/libvgpu-exec.so:/x.so /s/libvgpu-cuda.so"}));
  ShimList missing;
  Missing(environment.get(), List("/s/libvgpu-cuda.so"), &missing);
  EXPECT_TRUE(missing.empty());
}

TEST(EnvironmentTest, AnEmptyOneAndNone) {
  Environment empty({});
  EXPECT_EQ(Added(empty.get(), "/s/a.so"), Variables{"LD_PRELOAD=/s/a.so"});
  EXPECT_EQ(Added(nullptr, "/s/a.so"), Variables{"LD_PRELOAD=/s/a.so"});
  Environment no_value({"LD_PRELOAD="});
  EXPECT_EQ(Added(no_value.get(), "/s/a.so"), Variables{"LD_PRELOAD=/s/a.so"});
}

TEST(EnvironmentTest, ANameThatOnlyBeginsAlikeIsAnother) {
  Environment environment({"LD_PRELOADED=/s/a.so"});
  EXPECT_EQ(Added(environment.get(), "/s/a.so"),
            (Variables{"LD_PRELOAD=/s/a.so", "LD_PRELOADED=/s/a.so"}));
}

TEST(EnvironmentTest, LeftAloneOnlyWhenItSaysSo) {
  EXPECT_TRUE(LeftAlone(Environment({"VGPU_PROPAGATE=0"}).get()));
  EXPECT_FALSE(LeftAlone(Environment({"VGPU_PROPAGATE=1"}).get()));
  EXPECT_FALSE(LeftAlone(Environment({"VGPU_PROPAGATE=00"}).get()));
  EXPECT_FALSE(LeftAlone(Environment({"A=VGPU_PROPAGATE=0"}).get()));
  EXPECT_FALSE(LeftAlone(nullptr));
}

TEST(EnvironmentTest, AProgramWithoutShimsHasNone) {
  ShimList shims;
  LoadedShims(&shims);
  EXPECT_TRUE(shims.empty()) << shims.Text();
}

}  // namespace
}  // namespace vgpu::exec
