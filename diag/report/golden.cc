#include "diag/report/golden.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"

namespace vgpu::report {
namespace {

constexpr char kDirectory[] = "diag/report/testdata/";

// The working tree, while the files are being rewritten (`bazel run` names it).
const char* update_root = nullptr;

}  // namespace

testing::AssertionResult MatchesGolden(absl::string_view name, absl::string_view actual) {
  const std::string path = absl::StrCat(kDirectory, name);
  if (update_root != nullptr) {
    std::ofstream out(absl::StrCat(update_root, "/", path), std::ios::binary);
    out.write(actual.data(), static_cast<std::streamsize>(actual.size()));
    if (!out.flush()) return testing::AssertionFailure() << path << ": cannot be written";
    return testing::AssertionSuccess();
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) return testing::AssertionFailure() << path << ": cannot be read";
  const std::string expected((std::istreambuf_iterator<char>(in)), {});
  if (actual == expected) return testing::AssertionSuccess();
  return testing::AssertionFailure()
         << path << " differs. If the new text is right: bazel run <this test> -- --update\n"
         << "---- new text ----\n"
         << std::string(actual) << "---- end ----";
}

// Whether the arguments make sense.
bool ParseArguments(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (absl::string_view(argv[i]) != "--update") return false;
    update_root = std::getenv("BUILD_WORKSPACE_DIRECTORY");
    if (update_root == nullptr) return false;
  }
  return true;
}

}  // namespace vgpu::report

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (!vgpu::report::ParseArguments(argc, argv)) {
    std::fputs("The only argument is --update, and it works under `bazel run`.\n", stderr);
    return 64;
  }
  return RUN_ALL_TESTS();
}
