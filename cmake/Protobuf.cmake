# Protobuf, but never the headers and compiler that a LibTorch in CMAKE_PREFIX_PATH carries along
# without the library.
find_path(Protobuf_INCLUDE_DIR google/protobuf/service.h)
if(EXISTS "${Protobuf_INCLUDE_DIR}/ATen")
  unset(Protobuf_INCLUDE_DIR CACHE)
  find_path(Protobuf_INCLUDE_DIR google/protobuf/service.h
            NO_CMAKE_PATH NO_CMAKE_ENVIRONMENT_PATH)
  find_program(Protobuf_PROTOC_EXECUTABLE protoc NO_CMAKE_PATH NO_CMAKE_ENVIRONMENT_PATH)
endif()
find_package(Protobuf REQUIRED)
