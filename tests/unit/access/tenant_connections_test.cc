#include "server/access/tenant_connections.h"

#include "gtest/gtest.h"
#include "server/refusal/refusal.h"

namespace rondo {
namespace {

class TenantConnectionsTest : public ::testing::Test {
 protected:
  TenantConnectionsTest() {
    TermsByTenant terms;
    terms["acme"].limits.connections = 2;
    terms["globex"].limits.connections = 1;
    EXPECT_TRUE(tenants_.SetTerms(terms).ok());
  }
  bool Claims(const char* peer, const char* tenant) {
    const absl::Status status = connections_.Claim(peer, tenants_.Named(tenant));
    EXPECT_TRUE(status.ok() || RefusalOf(status).why == Why::kTenantQuota) << status;
    return status.ok();
  }

  Metrics metrics_;
  Tenants tenants_{&metrics_};
  TenantConnections connections_;
};

TEST_F(TenantConnectionsTest, ATenantHasSoManyUntilOneOfThemCloses) {
  connections_.Opened(5, "ipv4:127.0.0.1:1");
  connections_.Opened(6, "ipv4:127.0.0.1:2");
  connections_.Opened(7, "ipv6:[::1]:3");
  for (int call = 0; call < 3; ++call) EXPECT_TRUE(Claims("ipv4:127.0.0.1:1", "acme"));
  EXPECT_TRUE(Claims("ipv6:%5B::1%5D:3", "acme"));
  EXPECT_FALSE(Claims("ipv4:127.0.0.1:2", "acme"));
  EXPECT_TRUE(Claims("ipv4:127.0.0.1:1", "acme"));
  connections_.Closed(7);
  EXPECT_TRUE(Claims("ipv4:127.0.0.1:2", "acme"));
}

TEST_F(TenantConnectionsTest, AConnectionOfSeveralTenantsCountsForEach) {
  connections_.Opened(5, "ipv4:10.0.0.1:1");
  EXPECT_TRUE(Claims("ipv4:10.0.0.1:1", "acme"));
  EXPECT_TRUE(Claims("ipv4:10.0.0.1:1", "globex"));
  connections_.Opened(6, "ipv4:10.0.0.1:2");
  EXPECT_FALSE(Claims("ipv4:10.0.0.1:2", "globex"));
  connections_.Closed(5);
  connections_.Closed(5);
  EXPECT_TRUE(Claims("ipv4:10.0.0.1:2", "globex"));
}

TEST_F(TenantConnectionsTest, ADescriptorThatIsUsedAgainIsANewConnection) {
  connections_.Opened(5, "ipv4:10.0.0.1:1");
  EXPECT_TRUE(Claims("ipv4:10.0.0.1:1", "globex"));
  connections_.Opened(5, "ipv4:10.0.0.1:9");
  EXPECT_TRUE(Claims("ipv4:10.0.0.1:9", "globex"));
  connections_.Opened(6, "ipv4:10.0.0.1:9");  // the peer came again before the old one was seen to be closed
  connections_.Closed(5);
  EXPECT_TRUE(Claims("ipv4:10.0.0.1:9", "globex"));
  EXPECT_EQ(tenants_.Named("globex")->quota()->connections(), 1);
}

TEST_F(TenantConnectionsTest, AUnixSocketAndOneThatHasGoneCountForNobody) {
  connections_.Opened(5, "unix:");
  for (int call = 0; call < 3; ++call) EXPECT_TRUE(Claims("unix:", "globex"));
  EXPECT_TRUE(Claims("ipv4:10.0.0.1:1", "globex"));
  EXPECT_EQ(tenants_.Named("globex")->quota()->connections(), 0);
}

TEST_F(TenantConnectionsTest, WhatTenantsHaveIsCountedByClass) {
  TermsByTenant terms;
  terms["acme"].tenant_class = terms["globex"].tenant_class = "gold";
  terms["acme"].limits.streams = 1;
  ASSERT_TRUE(tenants_.SetTerms(terms).ok());
  for (const char* const name : {"acme", "globex", "other", ""}) {
    EXPECT_TRUE(tenants_.Named(name)->quota()->TakeStream().ok());
  }
  EXPECT_FALSE(tenants_.Named("acme")->quota()->TakeStream().ok());
  tenants_.Count();
  TenantClassProbe* const gold = metrics_.ForTenantClass("gold");
  EXPECT_EQ(gold->tenants.Value(), 2);
  EXPECT_EQ(gold->streams.Value(), 2);
  EXPECT_EQ(gold->refused[TenantLimit::kStreams].Value(), 1);
  EXPECT_EQ(metrics_.ForTenantClass("default")->streams.Value(), 1);
}

TEST_F(TenantConnectionsTest, ThereAreFewClasses) {
  TermsByTenant terms;
  for (int i = 0; i < 17; ++i) terms[std::to_string(i)].tenant_class = "class" + std::to_string(i);
  const absl::Status many = tenants_.SetTerms(terms);
  EXPECT_EQ(many.message(), "17 classes of tenants since the server started; wanted at most 16");
  EXPECT_FALSE(tenants_.Named("globex")->quota()->TakeConnection().ok() &&
               tenants_.Named("globex")->quota()->TakeConnection().ok());  // what held before holds
}

}  // namespace
}  // namespace rondo
