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

# What to link. Targets whose property ADAMEC_STATIC_PROTOBUF is on take the static library where
# there is one. Not for programs with LibTorch, which brings a libprotobuf.so of its own.
get_filename_component(folder "${Protobuf_LIBRARIES}" DIRECTORY)
find_library(PROTOBUF_STATIC_LIBRARY libprotobuf.a HINTS "${folder}")
add_library(adamec_protobuf INTERFACE)
target_include_directories(adamec_protobuf SYSTEM INTERFACE ${Protobuf_INCLUDE_DIRS})
if(PROTOBUF_STATIC_LIBRARY)
  target_link_libraries(adamec_protobuf INTERFACE $<IF:$<BOOL:$<TARGET_PROPERTY:ADAMEC_STATIC_PROTOBUF>>,${PROTOBUF_STATIC_LIBRARY},protobuf::libprotobuf>)
else()
  target_link_libraries(adamec_protobuf INTERFACE protobuf::libprotobuf)
endif()
