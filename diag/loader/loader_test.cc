#include "diag/loader/loader.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "diag/host/fake_host.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vgpu::loader {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kInterp[] = "/lib64/ld-linux-x86-64.so.2";

// A Debian host with one program that needs libcuda.so.1 and libc.so.6.
class LoaderTest : public ::testing::Test {
 protected:
  LoaderTest() {
    host.AddLink("/lib", "usr/lib");
    host.AddLink("/lib64", "usr/lib64");
    host.AddLink("/usr/lib64/ld-linux-x86-64.so.2", "../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2");
    Library("/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", "ld-linux-x86-64.so.2", "");
    Library("/usr/lib/x86_64-linux-gnu/libc.so.6", "libc.so.6", "");
    Program("/opt/app/bin/app", R"("libcuda.so.1", "libc.so.6")");
    host.AddFile("/proc/cpuinfo", "flags\t\t: fpu sse\n");
  }

  void File(absl::string_view path, absl::string_view json) {
    host.AddFile(path, std::string(200, 'x'));
    host.AddElf(path, json);
  }

  // `more` is JSON that follows the keys that each library has.
  void Library(absl::string_view path, absl::string_view soname, absl::string_view more) {
    std::string name = soname.empty() ? "null" : absl::StrCat("\"", soname, "\"");
    std::string keys = R"("class": 64, "machine": "x86_64", "type": "DYN", "error": null)";
    for (absl::string_view key :
         {"needed", "rpath", "runpath", "version_defs", "version_needs", "undefined", "exports"}) {
      if (more.find(absl::StrCat("\"", key, "\"")) == absl::string_view::npos) {
        absl::StrAppend(&keys, ", \"", key, "\": null");
      }
    }
    File(path, absl::StrCat("{", keys, R"(, "bind_now": false, "interp": null, "soname": )", name,
                            more.empty() ? "" : ", ", more, "}"));
  }

  void Program(absl::string_view path, absl::string_view needed, absl::string_view more = "") {
    File(path,
         absl::StrCat(
             R"({"class": 64, "machine": "x86_64", "type": "DYN", "pie": true,
             "error": null, "interp": ")",
             kInterp, R"(", "soname": null, "rpath": null, "bind_now": false,
             "version_needs": null, "undefined": null, "exports": null, "version_defs": null,)",
             more.find("\"runpath\"") == absl::string_view::npos ? R"("runpath": null, )" : "",
             more, more.empty() ? "" : ", ", R"("needed": [)", needed, "]}"));
  }

  StartOptions Options() {
    StartOptions options;
    options.program = "/opt/app/bin/app";
    return options;
  }

  Load Start(const StartOptions& options) {
    Loader loader(host);
    return loader.Start(options);
  }

  std::vector<std::string> Paths(const Load& load) {
    std::vector<std::string> paths;
    for (const Object& object : load.objects) paths.push_back(object.place.path);
    return paths;
  }

  host::FakeHost host;
};

TEST_F(LoaderTest, ALibraryPathShadowsTheDefaultDirectory) {
  Library("/usr/lib/x86_64-linux-gnu/libcuda.so.1", "libcuda.so.1", "");
  Library("/opt/vgpu/lib/libcuda.so.1", "libcuda.so.1", "");
  StartOptions options = Options();
  options.environment.library_path = "/none:/opt/vgpu/lib";
  const Load load = Start(options);
  ASSERT_EQ(load.kind, Kind::kGlibc);
  EXPECT_THAT(Paths(load), ElementsAre("/opt/app/bin/app", "/opt/vgpu/lib/libcuda.so.1",
                                       "/lib/x86_64-linux-gnu/libc.so.6"));
  const Object& cuda = load.objects[1];
  EXPECT_EQ(cuda.place.rule, Rule::kLibraryPath);
  EXPECT_EQ(cuda.place.entry, 1u);
  ASSERT_EQ(cuda.shadows.size(), 1u);
  EXPECT_EQ(cuda.shadows[0].place.path, "/lib/x86_64-linux-gnu/libcuda.so.1");
  EXPECT_EQ(load.Starts(), true);
}

TEST_F(LoaderTest, APreloadWithTheSonameAnswersAndShadowsTheDriver) {
  Library("/usr/lib/x86_64-linux-gnu/libcuda.so.1", "libcuda.so.1", "");
  Library("/opt/vgpu/lib/libvgpu-cuda.so", "libcuda.so.1", "");
  StartOptions options = Options();
  options.environment.preload = "/opt/vgpu/lib/libvgpu-cuda.so";
  const Load load = Start(options);
  EXPECT_THAT(Paths(load), ElementsAre("/opt/app/bin/app", "/opt/vgpu/lib/libvgpu-cuda.so",
                                       "/lib/x86_64-linux-gnu/libc.so.6"));
  const Object* cuda = load.Find("libcuda.so.1");
  ASSERT_NE(cuda, nullptr);
  ASSERT_EQ(cuda->requests.size(), 2u);
  EXPECT_EQ(cuda->requests[1].rule, Rule::kLoadedSoname);
  ASSERT_EQ(cuda->shadows.size(), 1u);
  EXPECT_EQ(cuda->shadows[0].place.rule, Rule::kDefaultDir);
}

TEST_F(LoaderTest, AMissingLibraryEndsTheProgramInTheLoadersWords) {
  const Load load = Start(Options());
  ASSERT_EQ(load.problems.size(), 1u);
  const Problem& problem = load.problems[0];
  EXPECT_EQ(problem.trouble, Trouble::kNotFound);
  EXPECT_EQ(problem.effect, Effect::kEndsProgram);
  EXPECT_EQ(problem.status, 127);
  EXPECT_EQ(problem.text,
            "/opt/app/bin/app: error while loading shared libraries: libcuda.so.1: cannot open "
            "shared object file: No such file or directory");
  EXPECT_THAT(problem.searched, ElementsAre("/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu",
                                            "/lib", "/usr/lib"));
  EXPECT_EQ(load.Starts(), false);
}

TEST_F(LoaderTest, WithoutLibcACaptureDoesNotSayWhatIsMissing) {
  host.Hide("/usr/lib/x86_64-linux-gnu/libc.so.6", "permission denied");
  host::FakeHost bare;
  bare.AddFile("/opt/app/bin/app", std::string(200, 'x'));
  bare.AddElf("/opt/app/bin/app", *host.RecordedElf("/opt/app/bin/app"));
  Loader loader(bare);
  const Load load = loader.Start(Options());
  EXPECT_THAT(load.problems, IsEmpty());
  EXPECT_TRUE(load.Starts().not_observed());
  ASSERT_EQ(load.objects.size(), 3u);
  EXPECT_TRUE(load.objects[1].file.not_observed());
}

TEST_F(LoaderTest, AMissingPreloadIsPassedOver) {
  Library("/usr/lib/x86_64-linux-gnu/libcuda.so.1", "libcuda.so.1", "");
  StartOptions options = Options();
  options.environment.preload = "/gone.so libgone.so";
  const Load load = Start(options);
  ASSERT_EQ(load.problems.size(), 2u);
  EXPECT_EQ(load.problems[0].text,
            "ERROR: ld.so: object '/gone.so' from LD_PRELOAD cannot be preloaded (cannot open "
            "shared object file): ignored.");
  EXPECT_EQ(load.problems[1].effect, Effect::kPassedOver);
  EXPECT_EQ(load.Starts(), true);
}

TEST_F(LoaderTest, ThePreloadFileComesAfterTheVariable) {
  Library("/usr/lib/x86_64-linux-gnu/libcuda.so.1", "libcuda.so.1", "");
  Library("/a.so", "", "");
  Library("/b.so", "", "");
  host.AddFile("/etc/vgpu/preload", "# ours\n/b.so\n");
  StartOptions options = Options();
  options.environment.preload = "/a.so";
  options.preload_file = "/etc/vgpu/preload";
  const Load load = Start(options);
  EXPECT_THAT(Paths(load),
              ElementsAre("/opt/app/bin/app", "/a.so", "/b.so",
                          "/lib/x86_64-linux-gnu/libcuda.so.1", "/lib/x86_64-linux-gnu/libc.so.6"));
}

TEST_F(LoaderTest, SecureModeDropsTheVariables) {
  Library("/opt/vgpu/lib/libcuda.so.1", "libcuda.so.1", "");
  StartOptions options = Options();
  options.environment.preload = "/opt/vgpu/lib/libcuda.so.1";
  options.environment.library_path = "/opt/vgpu/lib";
  options.secure = true;
  const Load load = Start(options);
  ASSERT_EQ(load.problems.size(), 1u);
  EXPECT_EQ(load.problems[0].trouble, Trouble::kNotFound);
  EXPECT_EQ(load.problems[0].request.by, Asker::kNeeded);
}

TEST_F(LoaderTest, AFileOfAnotherMachineIsPassedOverInSilence) {
  File("/opt/arm/libcuda.so.1",
       R"({"class": 64, "machine": "aarch64", "type": "DYN", "error": null})");
  Library("/usr/lib/x86_64-linux-gnu/libcuda.so.1", "libcuda.so.1", "");
  StartOptions options = Options();
  options.environment.library_path = "/opt/arm";
  const Load load = Start(options);
  EXPECT_EQ(load.objects[1].place.rule, Rule::kDefaultDir);
  EXPECT_THAT(load.problems, IsEmpty());
}

TEST_F(LoaderTest, AShortFileInALibraryPathEndsTheProgram) {
  File("/opt/vgpu/lib/libcuda.so.1", R"({"error": "file too short"})");
  Library("/usr/lib/x86_64-linux-gnu/libcuda.so.1", "libcuda.so.1", "");
  StartOptions options = Options();
  options.environment.library_path = "/opt/vgpu/lib";
  const Load load = Start(options);
  ASSERT_EQ(load.problems.size(), 1u);
  EXPECT_THAT(load.problems[0].text, HasSubstr("/opt/vgpu/lib/libcuda.so.1: file too short"));
}

TEST_F(LoaderTest, DlopenFindsWhatItsRunpathNames) {
  Library("/usr/lib/x86_64-linux-gnu/libcuda.so.1", "libcuda.so.1", "");
  Library("/opt/ollama/cuda_v12/libggml-cuda.so", "",
          R"("needed": ["libcudart.so.12"], "runpath": "$ORIGIN",
             "version_needs": [{"file": "libcudart.so.12", "versions": ["libcudart.so.12"]}],
             "undefined": [{"name": "cudaMalloc", "version": "libcudart.so.12"}])");
  Library("/opt/ollama/cuda_v12/libcudart.so.12", "libcudart.so.12",
          R"("version_defs": ["libcudart.so.12"],
             "exports": [{"name": "cudaMalloc", "version": "libcudart.so.12"}])");
  Loader loader(host);
  const Load load = loader.Start(Options());
  const Opened opened = loader.Dlopen(load, 0, "/opt/ollama/cuda_v12/libggml-cuda.so");
  EXPECT_THAT(opened.problems, IsEmpty());
  EXPECT_EQ(opened.Succeeds(), true);
  ASSERT_EQ(opened.load.objects.size(), opened.first_new + 2);
  EXPECT_EQ(opened.load.objects.back().place.rule, Rule::kRunpath);
}

TEST_F(LoaderTest, ALibraryWithoutTheVersionFailsTheDlopen) {
  Library("/usr/lib/x86_64-linux-gnu/libcuda.so.1", "libcuda.so.1", "");
  Library("/x/libggml-cuda.so", "",
          R"("needed": ["libcudart.so.12"], "runpath": "$ORIGIN",
             "version_needs": [{"file": "libcudart.so.12", "versions": ["libcudart.so.12"]}])");
  Library("/x/libcudart.so.12", "libcudart.so.12", R"("version_defs": ["libcudart.so.11.0"])");
  Loader loader(host);
  const Opened opened = loader.Dlopen(loader.Start(Options()), 0, "/x/libggml-cuda.so");
  ASSERT_EQ(opened.problems.size(), 1u);
  EXPECT_EQ(opened.problems[0].text,
            "/x/libcudart.so.12: version `libcudart.so.12' not found (required by "
            "/x/libggml-cuda.so)");
  EXPECT_EQ(opened.problems[0].effect, Effect::kFailsDlopen);
}

// Measured with glibc 2.36: an assertion of ld.so ends the process.
TEST_F(LoaderTest, ALibraryWithoutAnyVersionsEndsWhoAsksItForOne) {
  Library("/usr/lib/x86_64-linux-gnu/libcuda.so.1", "libcuda.so.1", "");
  Library("/x/libggml-cuda.so", "",
          R"("needed": ["libcudart.so.12"], "runpath": "$ORIGIN",
             "version_needs": [{"file": "libcudart.so.12", "versions": ["libcudart.so.12"]}],
             "undefined": [{"name": "cudaMalloc", "version": "libcudart.so.12"}])");
  Library("/x/libcudart.so.12", "libcudart.so.12",
          R"("exports": [{"name": "cudaMalloc", "version": null}])");
  Loader loader(host);
  const Opened opened = loader.Dlopen(loader.Start(Options()), 0, "/x/libggml-cuda.so");
  ASSERT_EQ(opened.problems.size(), 1u);
  EXPECT_EQ(opened.problems[0].trouble, Trouble::kNoVersions);
  EXPECT_EQ(opened.problems[0].effect, Effect::kEndsProgram);
}

TEST_F(LoaderTest, AnUndefinedSymbolFailsADlopenThatBindsAtOnce) {
  Library("/usr/lib/x86_64-linux-gnu/libcuda.so.1", "libcuda.so.1",
          R"("exports": [{"name": "cuInit", "version": null}], "exports_complete": true)");
  Library("/x/libggml-cuda.so", "",
          R"("needed": ["libcuda.so.1"], "undefined": [
             {"name": "cuInit", "version": null}, {"name": "cuMemGetInfo_v2", "version": null}])");
  Loader loader(host);
  const Opened opened = loader.Dlopen(loader.Start(Options()), 0, "/x/libggml-cuda.so");
  ASSERT_EQ(opened.problems.size(), 1u);
  EXPECT_EQ(opened.problems[0].text, "/x/libggml-cuda.so: undefined symbol: cuMemGetInfo_v2");
}

TEST_F(LoaderTest, WhereOnlySomeExportsAreKnownNoSymbolIsMissing) {
  Library("/usr/lib/x86_64-linux-gnu/libcuda.so.1", "libcuda.so.1",
          R"("exports": [{"name": "cuInit", "version": null}], "exports_complete": false)");
  Library("/x/libggml-cuda.so", "",
          R"("needed": ["libcuda.so.1"],
             "undefined": [{"name": "cuMemGetInfo_v2", "version": null}])");
  Loader loader(host);
  const Opened opened = loader.Dlopen(loader.Start(Options()), 0, "/x/libggml-cuda.so");
  EXPECT_THAT(opened.problems, IsEmpty());
  EXPECT_TRUE(opened.Succeeds().not_observed());
}

TEST_F(LoaderTest, AScriptAndAStaticProgramAreSaidToBeThat) {
  host.AddFile("/opt/app/bin/app", "#!/bin/sh\nexec ollama\n");
  host.AddElf("/opt/app/bin/app", R"({"error": "file too short"})");
  Load load = Start(Options());
  EXPECT_EQ(load.kind, Kind::kScript);
  EXPECT_EQ(load.interpreter, "/bin/sh");
  host.AddElf("/opt/app/bin/app", R"({"class": 64, "type": "EXEC", "interp": null})");
  load = Start(Options());
  EXPECT_EQ(load.kind, Kind::kStatic);
}

TEST_F(LoaderTest, ABindPutsAnotherFileInAPathsPlace) {
  Library("/usr/lib/x86_64-linux-gnu/libcuda.so.1", "libcuda.so.1", "");
  Library("/opt/vgpu/lib/libcuda.so.1", "libcuda.so.1", "");
  StartOptions options = Options();
  options.view.name = "bound";
  options.view.sees = [](absl::string_view path) {
    Seen seen;
    if (path == "/usr/lib/x86_64-linux-gnu/libcuda.so.1") {
      seen.what = Seen::What::kElsewhere;
      seen.host_path = "/opt/vgpu/lib/libcuda.so.1";
    }
    return seen;
  };
  const Load load = Start(options);
  ASSERT_TRUE(load.objects[1].file.present());
  EXPECT_EQ(load.objects[1].file->path, "/opt/vgpu/lib/libcuda.so.1");
}

}  // namespace
}  // namespace vgpu::loader
