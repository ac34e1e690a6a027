# The endpoint's messages: C from the .proto files, and their descriptors for reflection, as a library
# of its own, because generated code does not keep to this project's warnings.
find_program(PROTOC_C protoc-c REQUIRED)
set(protos ${PROJECT_SOURCE_DIR}/online/endpoint)
set(messages ${PROJECT_BINARY_DIR}/messages)
file(MAKE_DIRECTORY ${messages})
set(names inference health reflection)
list(TRANSFORM names APPEND .proto OUTPUT_VARIABLE files)
list(TRANSFORM files PREPEND ${protos}/ OUTPUT_VARIABLE sources)
list(TRANSFORM names APPEND .pb-c.c OUTPUT_VARIABLE made)
list(TRANSFORM made PREPEND ${messages}/)
add_custom_command(OUTPUT ${made} ${messages}/descriptors.bin
  COMMAND ${PROTOC_C} --proto_path=${protos} --c_out=${messages}
    --descriptor_set_out=${messages}/descriptors.bin ${files}
  DEPENDS ${sources} VERBATIM)
add_custom_command(OUTPUT ${messages}/descriptors.c
  COMMAND ${CMAKE_COMMAND} -DFROM=${messages}/descriptors.bin -DTO=${messages}/descriptors.c
    -DSYMBOL=endpoint_descriptors -P ${PROJECT_SOURCE_DIR}/cmake/embed_bytes.cmake
  DEPENDS ${messages}/descriptors.bin ${PROJECT_SOURCE_DIR}/cmake/embed_bytes.cmake VERBATIM)
add_library(endpoint_messages STATIC ${made} ${messages}/descriptors.c)
target_include_directories(endpoint_messages SYSTEM PUBLIC ${messages})
target_link_libraries(endpoint_messages PUBLIC PkgConfig::PROTOBUFC)
