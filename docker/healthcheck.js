// Whether the gateway in this container is ready; the image brings no tool to ask with.
const response = await fetch(`http://127.0.0.1:${process.env.PORT || 8080}/health/ready`)
process.exit(response.ok ? 0 : 1)
