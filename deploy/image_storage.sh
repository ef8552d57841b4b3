# Sourced by the image scripts: buildah with a storage of our own that needs no daemon, overlay file system or namespaces.

IMAGE_STORAGE=$(realpath -m "${IMAGE_STORAGE:-build/image}")
mkdir -p "$IMAGE_STORAGE"

image_tool() {
  BUILDAH_ISOLATION=chroot buildah --root "$IMAGE_STORAGE/storage" --runroot "$IMAGE_STORAGE/run" --storage-driver vfs "$@"
}
