// Nothing is kept in the browser, and nobody else is asked: no validator, no stored token.
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#reference",
  defaultModelsExpandDepth: 0,
  persistAuthorization: false,
  validatorUrl: null,
});
