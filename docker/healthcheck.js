// Exits with 0 if the gateway in this container is ready. It is a script as the image contains no HTTP client such as curl.
const response = await fetch(`http://127.0.0.1:${process.env.PORT || 8080}/health/ready`)
process.exit(response.ok ? 0 : 1)
