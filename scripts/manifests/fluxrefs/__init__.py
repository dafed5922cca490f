"""What Flux would apply from flux/, and whether its parts find each other."""
