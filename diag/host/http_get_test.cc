#include "diag/host/http_get.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace vgpu::host {
namespace {

// A server on loopback that answers one request with `answer`, or takes the
// connection and says nothing.
class OneAnswer {
 public:
  explicit OneAnswer(std::string answer) : listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_, 1), 0);
    EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, answer = std::move(answer)] {
      int client = accept(listener_, nullptr, nullptr);
      if (client < 0) return;
      char buffer[1024];
      ssize_t n = recv(client, buffer, sizeof(buffer), 0);
      if (n > 0) request_.assign(buffer, static_cast<size_t>(n));
      if (!answer.empty()) {
        send(client, answer.data(), answer.size(), MSG_NOSIGNAL);
      } else {
        recv(client, buffer, sizeof(buffer), 0);  // until the other side gives up
      }
      close(client);
    });
  }
  ~OneAnswer() { Finish(); }
  void Finish() {
    if (thread_.joinable()) thread_.join();
    if (listener_ >= 0) close(listener_);
    listener_ = -1;
  }
  uint16_t port() const { return port_; }
  const std::string& request() const { return request_; }

 private:
  int listener_;
  uint16_t port_ = 0;
  std::string request_;
  std::thread thread_;
};

TEST(HttpGetTest, GivesTheBody) {
  OneAnswer server(
      "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{\"version\":\"0.16.2\"}");
  absl::StatusOr<std::string> body =
      HttpGet(server.port(), "/api/version", 1000, absl::Seconds(20));
  server.Finish();
  ASSERT_TRUE(body.ok()) << body.status();
  EXPECT_EQ(*body, "{\"version\":\"0.16.2\"}");
  EXPECT_EQ(server.request().substr(0, 27), "GET /api/version HTTP/1.0\r\n");
}

TEST(HttpGetTest, SaysWhichStatusItIs) {
  OneAnswer server("HTTP/1.1 404 Not Found\r\n\r\nno");
  absl::StatusOr<std::string> body = HttpGet(server.port(), "/api/ps", 1000, absl::Seconds(20));
  EXPECT_TRUE(absl::EndsWith(body.status().message(), ": answered 404")) << body.status();
}

TEST(HttpGetTest, AServerThatHangsDoesNotHoldUs) {
  OneAnswer server("");
  absl::StatusOr<std::string> body =
      HttpGet(server.port(), "/api/version", 1000, absl::Milliseconds(200));
  EXPECT_TRUE(absl::EndsWith(body.status().message(), ": did not answer in time")) << body.status();
}

TEST(HttpGetTest, NobodyListens) {
  uint16_t port = 0;
  {
    OneAnswer server("x");
    port = server.port();
    EXPECT_FALSE(HttpGet(port, "/", 10, absl::Seconds(20)).ok());  // is no HTTP server
  }
  absl::StatusOr<std::string> body = HttpGet(port, "/api/version", 1000, absl::Seconds(20));
  EXPECT_TRUE(absl::EndsWith(body.status().message(), ": connection refused")) << body.status();
}

}  // namespace
}  // namespace vgpu::host
