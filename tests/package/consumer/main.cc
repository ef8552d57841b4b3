// consumer HOST:PORT: asks the model "seattle" for one step by the client library, and prints what came and the size of
// a message of the protocol.
#include <cstdio>
#include <vector>

#include "client/client.h"
#include "rondo/v1/inference.pb.h"

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return 1;
}

int main(int argc, char** argv) {
  const absl::StatusOr<rondo::Client> client = rondo::Client::Connect(argc > 1 ? argv[1] : "");
  if (!client.ok()) return Fail(client.status());
  absl::StatusOr<rondo::Session> session = client->OpenSession("seattle");
  if (!session.ok()) return Fail(session.status());
  const std::vector<float> day = {5.6f, -3.2f, 0, 1.2f};
  const absl::StatusOr<std::vector<float>> tomorrow = session->Step(day, 1420070400);
  if (!tomorrow.ok()) return Fail(tomorrow.status());

  rondo::v1::PredictRequest request;
  request.set_model("seattle");
  std::printf("%zu values, position %d, %zu bytes\n", tomorrow->size(), static_cast<int>(session->position()),
              request.ByteSizeLong());
}
