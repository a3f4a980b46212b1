# One target for whichever LibTorch is found (CMAKE_PREFIX_PATH or Torch_DIR choose it): adamec_libtorch.
# The flags LibTorch's own CMake package adds to every directory are kept out.
find_package(Torch 1.13 REQUIRED)
if(TORCH_CXX_FLAGS MATCHES "_GLIBCXX_USE_CXX11_ABI=0")
  message(FATAL_ERROR "LibTorch in ${Torch_DIR} uses the C++ ABI of before 2015, which does not go "
                      "together with the system's libraries: take its cxx11-abi variant")
endif()

# The Python wheel and the LibTorch archive bring headers of their own copies of protobuf, fmt and
# the like (but not the libraries). Seen before the system's they break our build, so a folder of
# links shows all of LibTorch's headers except those.
set(adamec_libtorch_includes)
foreach(folder ${TORCH_INCLUDE_DIRS})
  if(EXISTS ${folder}/google/protobuf AND EXISTS ${folder}/ATen
     AND NOT folder IN_LIST Protobuf_INCLUDE_DIRS)
    set(view ${PROJECT_BINARY_DIR}/libtorch-headers)
    file(REMOVE_RECURSE ${view})
    file(MAKE_DIRECTORY ${view})
    file(GLOB entries RELATIVE ${folder} ${folder}/*)
    list(REMOVE_ITEM entries google fmt nlohmann yaml-cpp CLI gtest gmock)
    foreach(entry ${entries})
      file(CREATE_LINK ${folder}/${entry} ${view}/${entry} SYMBOLIC)
    endforeach()
    set(folder ${view})
  endif()
  list(APPEND adamec_libtorch_includes ${folder})
endforeach()
foreach(target torch torch_library torch_cpu torch_cpu_library c10)
  if(TARGET ${target})
    set_target_properties(${target} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES ""
                                               INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "")
  endif()
endforeach()

# Libraries that LibTorch itself linked statically and that its package lists all the same.
set(adamec_libtorch_libraries ${TORCH_LIBRARIES})
list(FILTER adamec_libtorch_libraries EXCLUDE REGEX "NOTFOUND$")

add_library(adamec_libtorch INTERFACE)
target_include_directories(adamec_libtorch SYSTEM INTERFACE ${adamec_libtorch_includes})
target_link_libraries(adamec_libtorch INTERFACE ${adamec_libtorch_libraries})
# LibTorch's classes have other members where asserts are on, and the library is built without.
target_compile_definitions(adamec_libtorch INTERFACE NDEBUG)
message(STATUS "LibTorch ${Torch_VERSION}: ${Torch_DIR}")
