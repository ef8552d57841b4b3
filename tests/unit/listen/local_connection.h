#ifndef RONDO_TESTS_UNIT_LISTEN_LOCAL_CONNECTION_H_
#define RONDO_TESTS_UNIT_LISTEN_LOCAL_CONNECTION_H_

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

namespace rondo {

// A connection to a port of this machine.
class LocalConnection {
 public:
  explicit LocalConnection(int port) : descriptor_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<in_port_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~LocalConnection() { close(descriptor_); }
  LocalConnection(const LocalConnection&) = delete;
  LocalConnection& operator=(const LocalConnection&) = delete;

  bool connected() const { return connected_; }
  void Say(const std::string& text) const { send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL); }
  // Tells whether a byte comes before the other end closes.
  bool HearsAByte() const {
    char byte = 0;
    return read(descriptor_, &byte, 1) == 1;
  }
  // Returns all that comes until the other end closes.
  std::string Hear() const {
    std::string heard;
    char bytes[4096];
    for (ssize_t size; (size = read(descriptor_, bytes, sizeof(bytes))) > 0;) {
      heard.append(bytes, static_cast<size_t>(size));
    }
    return heard;
  }

 private:
  const int descriptor_;
  bool connected_ = false;
};

}  // namespace rondo

#endif  // RONDO_TESTS_UNIT_LISTEN_LOCAL_CONNECTION_H_
