#include "server/rpc/call/status.h"

#include <string>

#include "gtest/gtest.h"

namespace rondo {
namespace {

TEST(StatusTest, OfALongMessageItsBeginningIsSaidAndNoCharacterIsCut) {
  std::string message(2047, 'x');
  message += "\xc3\xa9" + std::string(100'000, 'y');
  grpc::ServerContext context;
  const grpc::Status said = ToGrpcStatus(absl::NotFoundError(message), &context);
  EXPECT_EQ(said.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(said.error_message(), std::string(2047, 'x') + "...");
  v1::Status proto;
  ToProto(absl::NotFoundError(message), &proto);
  EXPECT_EQ(proto.message(), said.error_message());
  ToProto(absl::NotFoundError("no session 's'"), &proto);
  EXPECT_EQ(proto.message(), "no session 's'");
}

}  // namespace
}  // namespace rondo
