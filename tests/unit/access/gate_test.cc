#include "server/access/gate.h"

#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/temporary_folder.h"

namespace rondo {
namespace {

using ::testing::HasSubstr;

const absl::Time kGateTime = absl::FromUnixSeconds(1'800'000'000);

std::vector<std::string> RuledMethods() {
  std::vector<std::string> methods;
  for (const MethodRule& rule : MethodRules()) methods.emplace_back(rule.method);
  return methods;
}

TEST(MethodRulesTest, AServerWhoseMethodsAllHaveRulesMayStart) {
  EXPECT_EQ(CheckMethodRules(RuledMethods()), absl::OkStatus());
}

TEST(MethodRulesTest, AMethodWithoutARuleIsNamedAndStartsNoServer) {
  std::vector<std::string> methods = RuledMethods();
  methods.push_back("rondo.v1.Inference/Peek");
  const absl::Status status = CheckMethodRules(methods);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("no rule says who may call rondo.v1.Inference/Peek"));
}

TEST(MethodRulesTest, ARuleOfNoMethodStartsNoServer) {
  std::vector<std::string> methods = RuledMethods();
  const std::string gone = methods.back();
  methods.pop_back();
  EXPECT_THAT(std::string(CheckMethodRules(methods).message()), HasSubstr("the rule for " + gone));
}

// A server that knows a token of each role: "predict", "sessions" and "admin".
class GateTest : public ::testing::Test {
 protected:
  GateTest() {
    options_.tokens_file =
        folder_.Write("tokens",
                      "8e9afe9d1df3927e713c246259f2e697abc1daeee11b8f7ed14ee4181f2f474f acme predict\n"
                      "1225ae6c1ae69dcb4ee4781b703e12206f3b549cd3ca151070a8d8d8f371dd71 acme sessions\n"
                      "8c6976e5b5410415bde908bd4dee15dfb167a9c873fc4bb8a81f6f2ab448a918 acme admin\n");
  }

  absl::StatusCode Ask(const std::string& method, const std::string& token) const {
    Shown shown;
    const std::string authorization = "Bearer " + token;
    if (!token.empty()) shown.authorizations = {authorization};
    return gate_->Admit(RuleOf(method), shown, kGateTime).status().code();
  }

  void Open() {
    absl::StatusOr<std::unique_ptr<Gate>> gate = Gate::Open(options_, &metrics_);
    ASSERT_TRUE(gate.ok()) << gate.status();
    gate_ = *std::move(gate);
  }

  const TemporaryFolder folder_;
  GateOptions options_;
  Metrics metrics_;
  std::unique_ptr<Gate> gate_;
};

TEST_F(GateTest, EachRoleMayCallItsMethodsAndThoseOfTheRolesBeforeIt) {
  Open();
  const std::vector<std::string> tokens = {"", "predict", "sessions", "admin"};
  for (const MethodRule& rule : MethodRules()) {
    for (size_t role = 0; role < tokens.size(); ++role) {
      const absl::StatusCode wanted = role >= static_cast<size_t>(rule.role) ? absl::StatusCode::kOk
                                      : role == 0                            ? absl::StatusCode::kUnauthenticated
                                                                             : absl::StatusCode::kPermissionDenied;
      EXPECT_EQ(Ask(std::string(rule.method), tokens[role]), wanted) << rule.method << " by " << tokens[role];
    }
  }
}

TEST_F(GateTest, HealthIsForAnyoneEvenWithAWrongToken) {
  Open();
  EXPECT_EQ(Ask("grpc.health.v1.Health/Check", "wrong"), absl::StatusCode::kOk);
  EXPECT_EQ(Ask("rondo.v1.Inference/Predict", "wrong"), absl::StatusCode::kUnauthenticated);
}

TEST_F(GateTest, HealthTakesNoConnectionFromATenant) {
  std::ofstream(options_.tokens_file, std::ios::app) << "limit * connections=1\nlimit - connections=1\n";
  Open();
  const MethodRule& health = *RuleOf("grpc.health.v1.Health/Check");
  const absl::StatusOr<Principal> anyone = gate_->Admit(&health, Shown(), kGateTime);
  ASSERT_TRUE(anyone.ok()) << anyone.status();
  EXPECT_TRUE(anyone->tenant->quota()->limits_connections()) << "by the line for -";
  EXPECT_FALSE(Gate::ClaimsConnection(health, anyone->tenant));
  EXPECT_TRUE(Gate::ClaimsConnection(*RuleOf("rondo.v1.Inference/Predict"), anyone->tenant));
}

TEST_F(GateTest, TheLineForEveryTenantIsNotForTheOneWithoutAName) {
  std::ofstream(options_.tokens_file, std::ios::app) << "limit * connections=1 session_lifetime=1h\n";
  Open();
  const absl::StatusOr<Principal> anyone = gate_->Admit(RuleOf("grpc.health.v1.Health/Check"), Shown(), kGateTime);
  ASSERT_TRUE(anyone.ok()) << anyone.status();
  EXPECT_FALSE(anyone->tenant->quota()->limits_connections());
  EXPECT_EQ(gate_->SessionLifetimeOf(""), absl::InfiniteDuration());
  EXPECT_EQ(gate_->SessionLifetimeOf("acme"), absl::Hours(1));
}

TEST_F(GateTest, AMethodWithoutARuleIsForNobody) {
  Open();
  EXPECT_EQ(Ask("rondo.v1.Inference/Peek", "admin"), absl::StatusCode::kPermissionDenied);
}

TEST_F(GateTest, WithoutAFileEveryoneMayCallWhatIsTurnedOn) {
  options_.tokens_file.clear();
  options_.reflection = options_.admin = false;
  Open();
  EXPECT_EQ(Ask("rondo.v1.Sessions/DeleteSession", ""), absl::StatusCode::kOk);
  EXPECT_EQ(Ask("grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", ""),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(Ask("inference.GRPCInferenceService/LogSettings", ""), absl::StatusCode::kPermissionDenied);
}

}  // namespace
}  // namespace rondo
