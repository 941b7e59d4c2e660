#include "diag/capture/redactor.h"

#include <algorithm>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "diag/systemd/environment_file.h"
#include "gtest/gtest.h"
#include "re2/re2.h"

namespace vgpu::capture {
namespace {

using std::string;

const Redactor& Any() {
  static const Redactor& redactor = *new Redactor({1, 2});
  return redactor;
}

// With "#" in the place of each hash.
string Shown(string text) {
  static const RE2& hash = *new RE2("<redacted:[0-9a-f]{16}>");
  RE2::GlobalReplace(&text, hash, "#");
  return text;
}

// With NUL in the place of each bar.
string Nul(string text) {
  std::replace(text.begin(), text.end(), '|', '\0');
  return text;
}

TEST(Redactor, AnEnvironmentKeepsWhatADiagnosisReads) {
  EXPECT_EQ(Shown(Any().Environ(Nul("PATH=/usr/bin|LD_PRELOAD=/a.so|OLLAMA_HOST=0.0.0.0|"
                                    "DATABASE=hunter2|EMPTY=|"))),
            Nul("PATH=/usr/bin|LD_PRELOAD=/a.so|OLLAMA_HOST=0.0.0.0|DATABASE=#|EMPTY=|"));
}

TEST(Redactor, ANameThatSoundsSecretIsOneWhateverItsPrefix) {
  for (const char* name : {"OLLAMA_API_KEY", "OLLAMA_KEY", "NVIDIA_NGC_CRED", "CUDA_PASS",
                           "LD_SECRET", "VGPU_TOKEN", "HF_TOKEN", "XDG_SESSION_COOKIE"}) {
    EXPECT_EQ(Shown(Any().Environ(absl::StrCat(name, "=hunter2"))), absl::StrCat(name, "=#"));
  }
  // A switch is no secret.
  EXPECT_EQ(Any().Environ("OLLAMA_AUTH=true"), "OLLAMA_AUTH=true");
}

TEST(Redactor, OfAValueThatIsKeptTheSecretPartGoes) {
  EXPECT_EQ(Any().Environ("OLLAMA_ORIGINS=https://me:hunter2@proxy/x"),
            "OLLAMA_ORIGINS=https://<redacted>@proxy/x");
}

TEST(Redactor, EqualValuesAreSeenToBeEqualByTheirName) {
  const string once = Any().Environ("A=hunter2");
  EXPECT_EQ(Any().Environ("A=hunter2"), once);
  EXPECT_NE(Any().Environ("A=hunter3"), once);
  EXPECT_NE(Any().Environ("B=hunter2").substr(2), once.substr(2));
  EXPECT_NE(Redactor({1, 3}).Environ("A=hunter2"), once);
  // In whatever place and quotes they stand.
  EXPECT_EQ(Any().UnitFile("Environment=\"A=hunter2\""), absl::StrCat("Environment=", once));
  EXPECT_EQ(Any().Show("Environment=A=hunter2"), absl::StrCat("Environment=", once));
  EXPECT_EQ(Any().Show("Environment=\"A=hunter2\""), absl::StrCat("Environment=", once));
  EXPECT_EQ(Any().EnvironmentFile("A='hunter2'"), once);
  EXPECT_EQ(Any().ShowEnvironment("A=$'hunter2'"), once);
  EXPECT_EQ(Any().CommandLine("A=hunter2 ollama"), absl::StrCat(once, " ollama"));
}

TEST(Redactor, RandomKeysDiffer) {
  const SipKey one = RandomKey(), other = RandomKey();
  EXPECT_TRUE(one.k0 != other.k0 || one.k1 != other.k1);
}

TEST(Redactor, WhatIsNoVariableInAnEnvironment) {
  EXPECT_EQ(Shown(Any().Environ(Nul("hunter2||A=1"))), Nul("#||A=#"));
}

TEST(Redactor, AUnitFile) {
  EXPECT_EQ(Shown(Any().UnitFile("[Service]\n"
                                 "Environment=\"A=a b\" 'B=c' LD_PRELOAD=/a.so C=d\n"
                                 "# Environment=A=hunter2\n"
                                 "Environment=LD_PRELOAD=/a.so /b.so hunter2\n"
                                 "SetCredential=id:hunter2\n"
                                 "ExecStart=/usr/bin/env A=hunter2 DIR=/opt/x ollama serve\n"
                                 "User=ollama\n")),
            "[Service]\n"
            "Environment=A=# B=# LD_PRELOAD=/a.so C=#\n"
            "# Environment=A=#\n"
            "Environment=LD_PRELOAD=/a.so /b.so #\n"
            "SetCredential=<redacted>\n"
            "ExecStart=/usr/bin/env A=# DIR=/opt/x ollama serve\n"
            "User=ollama\n");
}

TEST(Redactor, LinesKeepTheirNumbers) {
  const string unit = Any().UnitFile("Environment=\"A=a \\\n  b\" \\\n  B=c\nUser=x\n");
  EXPECT_EQ(std::count(unit.begin(), unit.end(), '\n'), 4);
  EXPECT_TRUE(absl::EndsWith(unit, "\nUser=x\n"));
  EXPECT_EQ(Shown(Any().UnitFile("Environment=\"A=a \\\n  b\" \\\n  B=c\nUser=x\n")),
            "Environment=A=# \\\n \\\n  B=#\nUser=x\n");
  const string file = Any().EnvironmentFile("A='one\ntwo\nthree'\nLD_PRELOAD=/a.so\n");
  const systemd::EnvironmentFile parsed = systemd::ParseEnvironmentFile(file);
  ASSERT_EQ(parsed.variables.size(), 2u);
  EXPECT_EQ(parsed.variables[1].key, "LD_PRELOAD");
  EXPECT_EQ(parsed.variables[1].line, 4);
}

TEST(Redactor, WhatSystemdRefusesStaysRefused) {
  // An escape that is none: the whole line is ignored (systemd 252).
  EXPECT_EQ(Shown(Any().UnitFile("Environment=A=hunter\\q2 B=c")), "Environment=A=#\\q B=#");
  EXPECT_TRUE(systemd::ParseEnvironmentFile(Any().EnvironmentFile("A=\xff\n")).refused);
}

TEST(Redactor, AnEnvironmentFile) {
  EXPECT_EQ(Shown(Any().EnvironmentFile("# A=hunter2\n"
                                        "A=hunter2 and more\n"
                                        "export B=hunter2\n"
                                        "LD_PRELOAD=\"/a.so:/b.so\"\n"
                                        "hunter2\n"
                                        "C=\n"
                                        "D=\\\nhunter2\n")),
            "# A=#\nA=#\nexport B=#\nLD_PRELOAD=\"/a.so:/b.so\"\n#\nC=\nD=#\n\n");
}

TEST(Redactor, AScriptStaysAScript) {
  EXPECT_EQ(Shown(Any().File("/opt/x/wrapper",
                             "#!/bin/sh\n"
                             "export HF_TOKEN=hunter2 lower=1\n"
                             "export lower=hunter2\n"
                             "DIR=/opt/ollama LIB=\"$DIR/lib\"\n"
                             "KEY=\"hunter2 and more\"\n"
                             "LD_PRELOAD=/a.so exec $DIR/bin/ollama serve\n")),
            "#!/bin/sh\n"
            "export HF_TOKEN=# lower=1\n"
            "export lower=#\n"
            "DIR=/opt/ollama LIB=\"$DIR/lib\"\n"
            "KEY=#\n"
            "LD_PRELOAD=/a.so exec $DIR/bin/ollama serve\n");
}

TEST(Redactor, OfAStrangersCommandLineOnlyItsProgramIsKept) {
  const string words = Nul("/usr/bin/mysql|-phunter2|db|");
  EXPECT_EQ(Shown(Any().File("/proc/7/cmdline", words)), Nul("/usr/bin/mysql|#|#|"));
  Redactor judged({1, 2});
  judged.KeepCommandLineOf(7);
  EXPECT_EQ(judged.File("/proc/7/cmdline", words), Nul("/usr/bin/mysql|-p<redacted>|db|"));
  const string ollama = Nul("/usr/bin/ollama|serve|--token|hunter2|");
  EXPECT_EQ(Any().File("/proc/8/cmdline", ollama),
            Nul("/usr/bin/ollama|serve|--token|<redacted>|"));
}

TEST(Redactor, AWordInThePreloadFileThatNamesNoFile) {
  EXPECT_EQ(Any().File("/etc/ld.so.preload", "/usr/lib/a.so libb.so # hunter2hunter2 ab/cd\n"),
            "/usr/lib/a.so libb.so # ************** **/**\n");
}

TEST(Redactor, ASecretThatTheLoaderLookedForIsInNoPath) {
  Redactor redactor({1, 2});
  redactor.LearnPreloadFile("/usr/lib/a.so s3cr3ts3cr3t\n");
  EXPECT_EQ(redactor.Path("/usr/lib/s3cr3ts3cr3t"), "/usr/lib/************");
  EXPECT_EQ(redactor.Path("/usr/lib/a.so"), "/usr/lib/a.so");
  // And of LD_PRELOAD, what is known by its form.
  EXPECT_EQ(redactor.Path("/usr/lib/ghp_0123456789abcdefghij"), "/usr/lib/<redacted>");
}

TEST(Redactor, AccountsKeepTheirNumbers) {
  EXPECT_EQ(Any().File("/etc/passwd",
                       "root:x:0:0:root:/root:/bin/sh\n"
                       "auth:$6$hunter2:999:998:A. Person,,555:/:/bin/false\n+\n"),
            "root:x:0:0::/root:/bin/sh\nauth:x:999:998::/:/bin/false\n+\n");
  EXPECT_EQ(Any().File("/etc/group", "video:hunter2:44:ollama\n"), "video:x:44:ollama\n");
}

TEST(Redactor, TheMachinesIdentityIsReplacedByOneOfItsForm) {
  const string id = "0123456789abcdef0123456789abcdef\n";
  const string safe = Any().File("/etc/machine-id", id);
  EXPECT_TRUE(RE2::FullMatch(safe, "[0-9a-f]{32}\n")) << safe;
  EXPECT_NE(safe, id);
}

TEST(Redactor, FilesAreKnownByTheirPath) {
  Redactor redactor({1, 2});
  redactor.AddEnvironmentFile("/opt/my/env");
  redactor.AddEnvironmentFile("/opt/*.conf");
  const string text = "A=hunter2\n";
  for (const char* path :
       {"/etc/default/ollama", "/opt/my/env", "/opt/x.conf", "/srv/.env",
        "/etc/environment.d/50-x.conf", "/proc/7/environ", "/proc/7/root/etc/default/ollama"}) {
    EXPECT_EQ(Shown(redactor.File(path, text)).substr(0, 3), "A=#") << path;
  }
  // Of another file only what is known to be a secret.
  EXPECT_EQ(redactor.File("/etc/os-release", "ID=debian\n"), "ID=debian\n");
  EXPECT_EQ(redactor.File("/etc/x", "url=http://me:hunter2@h/"), "url=http://<redacted>@h/");
  EXPECT_EQ(redactor.File("/proc/7/auxv", text), text);
}

TEST(Redactor, WhatSystemctlShows) {
  EXPECT_EQ(Shown(Any().Output("/.vgpu-capture/systemctl/show-ollama.service.txt",
                               "Id=ollama.service\n"
                               "Environment=A=1 \"B=a b\" \"LD_PRELOAD=/a.so /b.so\"\n"
                               "ExecStart={ path=/bin/env ; argv[]=/bin/env A=hunter2 x ; }\n")),
            "Id=ollama.service\n"
            "Environment=A=# B=# \"LD_PRELOAD=/a.so /b.so\"\n"
            "ExecStart={ path=/bin/env ; argv[]=/bin/env A=# x ; }\n");
  EXPECT_EQ(Shown(Any().Output("/.vgpu-capture/systemctl/show-environment.txt",
                               "PATH=/usr/bin\nA=$'hunter2\\n'\n")),
            "PATH=/usr/bin\nA=#\n");
}

}  // namespace
}  // namespace vgpu::capture
