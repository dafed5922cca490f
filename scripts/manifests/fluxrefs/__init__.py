"""The objects that Flux would apply from flux/, and the references between them."""
