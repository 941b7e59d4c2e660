#include "tools/vgpu_doctor/live/stand_in/loopback.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdlib>

namespace vgpu::stand_in {
namespace {

sockaddr_in Loopback(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

std::string ReadAll(int socket, const char* until) {
  std::string text;
  char buffer[4096];
  ssize_t length = 0;
  while ((length = read(socket, buffer, sizeof(buffer))) > 0) {
    text.append(buffer, static_cast<size_t>(length));
    if (until != nullptr && text.find(until) != std::string::npos) break;
  }
  return text;
}

void Send(int socket, const std::string& text) {
  size_t sent = 0;
  while (sent < text.size()) {
    const ssize_t length = send(socket, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (length <= 0) return;
    sent += static_cast<size_t>(length);
  }
}

}  // namespace

int Listen(int port) {
  const int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  const sockaddr_in address = Loopback(port);
  if (bind(listening, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      listen(listening, 16) != 0) {
    close(listening);
    return -1;
  }
  return listening;
}

int PortOf(int listening) {
  sockaddr_in address = {};
  socklen_t size = sizeof(address);
  getsockname(listening, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

void Serve(int listening, const std::function<std::string(const std::string&)>& answer) {
  for (;;) {
    const int client = accept(listening, nullptr, nullptr);
    if (client < 0) continue;
    const timeval patience = {2, 0};
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    const std::string request = ReadAll(client, "\r\n\r\n");
    const size_t begin = request.find(' ');
    const size_t end = begin == std::string::npos ? begin : request.find(' ', begin + 1);
    const std::string body =
        end == std::string::npos ? "" : answer(request.substr(begin + 1, end - begin - 1));
    Send(client, std::string(body.empty() ? "HTTP/1.1 404 Not Found" : "HTTP/1.1 200 OK") +
                     "\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: " +
                     std::to_string(body.size()) + "\r\n\r\n" + body);
    close(client);
  }
}

std::string Get(int port, const std::string& path) {
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience = {2, 0};
  setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  const sockaddr_in address = Loopback(port);
  std::string answer;
  if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
    Send(server, "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
    answer = ReadAll(server, nullptr);
  }
  close(server);
  const size_t end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "" : answer.substr(end + 4);
}

}  // namespace vgpu::stand_in
