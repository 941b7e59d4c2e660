#include "diag/report/redact.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace vgpu::report {
namespace {

using std::string;

TEST(RedactSecrets, TextWithoutSecretsStaysAsItIs) {
  for (const char* text : {
           R"(time=2026-02-24T09:41:07.312-05:00 level=INFO source=auth.go:12 msg="discovering")",
           "LD_PRELOAD=/usr/lib64/libvgpu-exec.so:/usr/lib64/libvgpu-cuda.so",
           "PWD=/root OLDPWD=/ XAUTHORITY=/run/x",
           "n_tokens=2048 tokenizer:bpe author=me",
           "map[CUDA_VISIBLE_DEVICES: HTTP_PROXY: OLLAMA_AUTH:false "
           "OLLAMA_HOST:http://0.0.0.0:11434]",
           "http://127.0.0.1:11434/api/version",
           "auth: permission denied",
           "disk-usage-of-a-very-long-name git@github.com:ollama/ollama",
           "[libvgpu-cuda] cuInit() device found at 0000:00:05.0",
       }) {
    EXPECT_EQ(RedactSecrets(text), text);
  }
}

TEST(RedactSecrets, TheUserOfAUrl) {
  EXPECT_EQ(RedactSecrets("HTTPS_PROXY=https://me:hunter2@proxy.example:3128/x"),
            "HTTPS_PROXY=https://<redacted>@proxy.example:3128/x");
  EXPECT_EQ(RedactSecrets("http://t0ken@host http://u:p@ss@host"),
            "http://<redacted>@host http://<redacted>@host");
  EXPECT_EQ(RedactSecrets("http://u:p/w@host/"), "http://<redacted>@host/");
}

TEST(RedactSecrets, AnEnvironmentVariable) {
  EXPECT_EQ(RedactSecrets("AWS_SECRET_ACCESS_KEY=abc/def+1"), "AWS_SECRET_ACCESS_KEY=<redacted>");
  EXPECT_EQ(RedactSecrets("A=1 HF_TOKEN=abc B=2"), "A=1 HF_TOKEN=<redacted> B=2");
  EXPECT_EQ(RedactSecrets("MYSQL_PWD=x pgpassword=y"),
            "MYSQL_PWD=<redacted> pgpassword=<redacted>");
}

TEST(RedactSecrets, AnEnvironThatNulBytesSeparate) {
  EXPECT_EQ(RedactSecrets(string("A=1\0DB_PASSWORD=a b\0C=3", 23)),
            string("A=1\0DB_PASSWORD=<redacted>\0C=3", 30));
}

TEST(RedactSecrets, AUnitsEnvironmentLine) {
  EXPECT_EQ(RedactSecrets(R"(Environment="API_KEY=a b" "LD_PRELOAD=/x")"),
            R"(Environment="API_KEY=<redacted>" "LD_PRELOAD=/x")");
  EXPECT_EQ(RedactSecrets(R"(Environment=API_KEY='a b' B=2)"),
            R"(Environment=API_KEY='<redacted>' B=2)");
  EXPECT_EQ(RedactSecrets(R"(Environment=API_KEY=a\ b B=2)"),
            R"(Environment=API_KEY=<redacted> B=2)");
}

TEST(RedactSecrets, ALineOfAnEnvironmentFileGoesToItsEnd) {
  EXPECT_EQ(RedactSecrets("A=1\nDB_PASSWORD=correct horse battery\nB=2"),
            "A=1\nDB_PASSWORD=<redacted>\nB=2");
}

TEST(RedactSecrets, AMapAsGoPrintsIt) {
  EXPECT_EQ(RedactSecrets("env=\"map[HTTP_PROXY:http://u:p@h OLLAMA_API_KEY:a b OLLAMA_DEBUG:1]\""),
            "env=\"map[HTTP_PROXY:http://<redacted>@h OLLAMA_API_KEY:<redacted> OLLAMA_DEBUG:1]\"");
  EXPECT_EQ(RedactSecrets("map[A:1 TOKEN:abc]"), "map[A:1 TOKEN:<redacted>]");
}

TEST(RedactSecrets, Json) {
  EXPECT_EQ(RedactSecrets(R"({"password":"a \"b\" c","x":1})"),
            R"({"password":"<redacted>","x":1})");
  EXPECT_EQ(RedactSecrets(R"("{\"auth_token\": \"abc\", \"x\":1}")"),
            R"("{\"auth_token\": \"<redacted>\", \"x\":1}")");
}

TEST(RedactSecrets, AHeader) {
  EXPECT_EQ(RedactSecrets("Authorization: Basic dTpw"), "Authorization: <redacted>");
  EXPECT_EQ(RedactSecrets("curl -H Authorization: Basic dTpw http://h"),
            "curl -H Authorization: <redacted> http://h");
  EXPECT_EQ(RedactSecrets(R"(curl -H "Cookie: a=b; c=d" http://h)"),
            R"(curl -H "Cookie: <redacted>" http://h)");
  EXPECT_EQ(RedactSecrets("sent bearer abcdefgh.ijkl"), "sent bearer <redacted>");
}

TEST(RedactSecrets, AFlag) {
  EXPECT_EQ(RedactSecrets("serve --api-key abc --port 1"), "serve --api-key <redacted> --port 1");
  EXPECT_EQ(RedactSecrets("serve --password=abc"), "serve --password=<redacted>");
  EXPECT_EQ(RedactSecrets(string("serve\0--token\0abc\0x", 19)),
            string("serve\0--token\0<redacted>\0x", 26));
}

TEST(RedactSecrets, CredentialsThatAreKnownByTheirForm) {
  for (const char* secret : {
           "ghp_0123456789abcdefghijABCDEFGHIJ012345",
           "hf_abcdefghijklmnopqrstuvwxyz01234567",
           "nvapi-abcdefghijklmnopqrstuvwx",
           "sk-proj-abcdefghijklmnopqrstu",
           "AKIAIOSFODNN7EXAMPLE",
           "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
       }) {
    EXPECT_EQ(RedactSecrets(absl::StrCat("got ", secret, ", kept")), "got <redacted>, kept")
        << secret;
  }
}

TEST(RedactSecrets, APrivateKey) {
  EXPECT_EQ(
      RedactSecrets("-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----\nx"),
      "-----BEGIN RSA PRIVATE KEY-----<redacted>-----END RSA PRIVATE KEY-----\nx");
  EXPECT_EQ(RedactSecrets("-----BEGIN PRIVATE KEY-----\nMIIE"),
            "-----BEGIN PRIVATE KEY-----<redacted>");
}

TEST(RedactSecrets, SettingsAreNoSecrets) {
  EXPECT_EQ(RedactSecrets("OLLAMA_AUTH=true API_KEY= B=2"), "OLLAMA_AUTH=true API_KEY= B=2");
}

// Each of these makes a scanner that looks back or ahead from every byte quadratic.
TEST(RedactSecrets, LongLinesAreQuick) {
  for (const char* piece :
       {"=", ":", "token", "token=", "--token ", "TOKEN='", "map[", "x://", "a ", "PASSWORD=a b ",
        "eyJaaaaaaaa.", "-----BEGIN PRIVATE KEY-----", "\\\""}) {
    string text;
    while (text.size() < 1 << 20) text += piece;
    const absl::Time start = absl::Now();
    RedactSecrets(text);
    EXPECT_LT(absl::Now() - start, absl::Seconds(20)) << piece;
  }
}

TEST(RedactSecrets, AHashThatStandsForAValueStaysWhereItIsAskedTo) {
  const string text = "HF_TOKEN=<redacted:0123456789abcdef> DB_PASSWORD=hunter2";
  EXPECT_EQ(RedactSecretsAroundHashes(text),
            "HF_TOKEN=<redacted:0123456789abcdef> DB_PASSWORD=<redacted>");
  EXPECT_EQ(RedactSecrets(text), "HF_TOKEN=<redacted> DB_PASSWORD=<redacted>");
  EXPECT_EQ(RedactSecretsAroundHashes("API_KEY=\"a\nb\"\nline 3"),
            "API_KEY=\"<redacted>\n\"\nline 3");
  // What only looks like one.
  EXPECT_EQ(RedactSecretsAroundHashes("HF_TOKEN=<redacted:0123456789abcdeg>"),
            "HF_TOKEN=<redacted>");
}

}  // namespace
}  // namespace vgpu::report
