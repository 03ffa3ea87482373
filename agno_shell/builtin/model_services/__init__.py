"""What providers of hosted and local models share: services, keys, addresses, the way there,
and messages in OpenAI's form. Nothing here knows litellm."""
