#include "server/rpc/services.h"

#include "server/rpc/native/inference_service.h"
#include "server/rpc/native/models_service.h"
#include "server/rpc/native/session_values.h"
#include "server/rpc/native/sessions_service.h"
#include "server/rpc/standard/health_service.h"
#include "server/rpc/standard/reflection_answers.h"
#include "server/rpc/standard/reflection_service.h"
#include "server/rpc/triton/open_inference_service.h"

namespace rondo {

class Services::Impl {
 public:
  v1::Inference::AsyncService inference;
  v1::Sessions::AsyncService sessions;
  v1::Models::AsyncService models;
  OpenInferenceService open_inference;
  grpc::health::v1::Health::AsyncService health;
  grpc::reflection::v1alpha::ServerReflection::AsyncService reflection;
  const ReflectionAnswers reflection_answers{
      {"rondo.v1.Inference", "rondo.v1.Sessions", "rondo.v1.Models", "inference.GRPCInferenceService",
       "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"},
      *google::protobuf::DescriptorPool::generated_pool()};
};

Services::Services() : impl_(std::make_unique<Impl>()) {}
Services::~Services() = default;

void Services::RegisterWith(grpc::ServerBuilder* builder) {
  builder->RegisterService(&impl_->inference);
  builder->RegisterService(&impl_->sessions);
  builder->RegisterService(&impl_->models);
  builder->RegisterService(&impl_->open_inference);
  builder->RegisterService(&impl_->health);
  builder->RegisterService(&impl_->reflection);
}

void Services::ServeHotCalls(const RpcContext* context) {
  ServeInference(context, &impl_->inference);
  ServeModelInfer(context, &impl_->open_inference);
}

void Services::ServeRareCalls(const RpcContext* context) {
  ServeSessions(context, &impl_->sessions);
  ServeSessionValues(context, &impl_->sessions);
  ServeModels(context, &impl_->models);
  ServeOpenInference(context, &impl_->open_inference);
  ServeHealth(context, &impl_->health);
  ServeReflection(context, &impl_->reflection, &impl_->reflection_answers);
}

}  // namespace rondo
