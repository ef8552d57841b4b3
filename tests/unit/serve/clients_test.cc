#include "server/serve/clients.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace rondo {
namespace {

TEST(ClientsTest, OfOneNameThereIsOneClientWhateverTheLoop) {
  WorkBudget server{WorkLimits()};
  Clients clients(&server, /*loops=*/2);
  const std::shared_ptr<Client> client = clients.Find("10.0.0.1");
  EXPECT_EQ(clients.Find("10.0.0.1"), client);
  EXPECT_NE(clients.Find("10.0.0.2"), client);
  EXPECT_EQ(client->flows.size(), 2u);
}

TEST(ClientsTest, WhoHasACallIsKeptHoweverManyComeAndGo) {
  WorkBudget server{WorkLimits()};
  Clients clients(&server, 1);
  const std::shared_ptr<Client> client = clients.Find("10.0.0.1");
  const std::weak_ptr<Client> gone = clients.Find("10.0.0.2");
  for (int i = 0; i < 3000; ++i) clients.Find(absl::StrCat("10.1.0.", i));
  EXPECT_EQ(clients.Find("10.0.0.1"), client);
  EXPECT_TRUE(gone.expired());
}

TEST(HostOfPeerTest, IsThePeerWithoutSchemeAndPort) {
  EXPECT_EQ(HostOfPeer("ipv4:127.0.0.1:5000"), "127.0.0.1");
  EXPECT_EQ(HostOfPeer("ipv6:%5B::1%5D:5000"), "%5B::1%5D");
  EXPECT_EQ(HostOfPeer("unix:/tmp/socket"), "unix:/tmp/socket");
  EXPECT_EQ(HostOfPeer(""), "");
}

TEST(ConnectionOfPeerTest, TellsPeersApartButNotThoseOfAUnixSocket) {
  EXPECT_NE(ConnectionOfPeer("ipv4:127.0.0.1:5000"), 0u);
  EXPECT_EQ(ConnectionOfPeer("ipv4:127.0.0.1:5000"), ConnectionOfPeer("ipv4:127.0.0.1:5000"));
  EXPECT_NE(ConnectionOfPeer("ipv4:127.0.0.1:5000"), ConnectionOfPeer("ipv4:127.0.0.1:5002"));
  EXPECT_EQ(ConnectionOfPeer("unix:"), 0u);
  EXPECT_EQ(ConnectionOfPeer("unix:/tmp/socket"), 0u);
}

}  // namespace
}  // namespace rondo
